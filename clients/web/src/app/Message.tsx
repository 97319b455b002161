import { asProblem } from "@outrider/sdk";
import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { CircleAlert, Compass, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

interface MessageProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text: string;
}

/** A page that only says something, with the way back. */
export function Message({ icon: Icon, title, text }: MessageProps): ReactElement {
  return (
    <div className="grid h-full place-items-center px-4">
      <div className="w-full max-w-md pb-24">
        <Icon aria-hidden size={24} className="text-muted" />
        <h1 className="mt-3 text-xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-2 text-base text-muted">{text}</p>
        <Link to="/" className="mt-4 inline-block text-base text-accent hover:underline">
          All sessions
        </Link>
      </div>
    </div>
  );
}

export function NotFound(): ReactElement {
  return <Message icon={Compass} title="There is nothing here" text="The address names no page, session or pull request." />;
}

export function Failed({ error }: ErrorComponentProps): ReactElement {
  const problem = asProblem(error);
  return <Message icon={CircleAlert} title={problem.sentence} text={problem.remedy} />;
}
