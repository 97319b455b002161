import { memo, useMemo, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";

import { highlightLines } from "./highlight";

/**
 * Prose of the agent or of a pull request.
 *
 * It is somebody else's text: no HTML of its own, and an image is only a link, since fetching it would tell its server
 * who reads this.
 */
export const Markdown = memo(function Markdown({ text }: { readonly text: string }): ReactElement {
  return (
    <div className="prose">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

const PLUGINS = [remarkGfm];

const COMPONENTS: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  ),
  img: ({ src, alt }) => {
    const name = alt ? `Image: ${alt}` : "An image";
    if (typeof src !== "string" || !src) return <span>{name}</span>;
    return (
      <a href={src} target="_blank" rel="noreferrer noopener">
        {name}
      </a>
    );
  },
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const language = /language-(\S+)/.exec(className ?? "")?.[1];
    const code = typeof children === "string" ? children : "";
    if (!language && !code.includes("\n")) return <code>{children}</code>;
    return <CodeBlock code={code.replace(/\n$/, "")} language={language ?? ""} />;
  },
  table: ({ children }) => (
    <div className="table">
      <table>{children}</table>
    </div>
  ),
};

/** Code with its colours, in a box that scrolls sideways by itself. */
export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }): ReactElement {
  const lines = useMemo(() => highlightLines(code, language), [code, language]);
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className="code" tabIndex={0}>
      <code>{lines.map((line, i) => <Line key={i}>{line.map(paint)}</Line>)}</code>
    </pre>
  );
}

function Line({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <>
      {children}
      {"\n"}
    </>
  );
}

function paint(token: { text: string; className: string }, i: number): ReactElement {
  return (
    <span key={i} className={token.className}>
      {token.text}
    </span>
  );
}
