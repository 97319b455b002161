import type { BranchImages, Build, RepositoryImage } from "@outrider/protocol";
import { asProblem } from "@outrider/sdk";
import { Hammer, Square } from "lucide-react";
import { useState, type ReactElement } from "react";

import { useBuildActions, useImages } from "@/features/server/fleet";
import { Button } from "@/ui/Button";
import { Empty } from "@/ui/Empty";
import { bytes, shortHash } from "@/ui/format";
import { Inline } from "@/ui/Inline";
import { Notice, ProblemNotice } from "@/ui/Notice";
import { Time } from "@/ui/Time";

import { BuildLog } from "./BuildLog";
import { BuildMark, isUnderWay } from "./BuildMark";
import { Diagnosis, DiagnosisMark } from "./Diagnosis";

/** Repositories with their images: how old, how large, whether their checks are green before anybody touches them. */
export function Images(): ReactElement {
  const images = useImages();
  return (
    <section aria-labelledby="images">
      <h2 id="images" className="text-lg font-semibold">
        Images
      </h2>
      <p className="mb-3 max-w-prose text-muted">
        A checkout that is set up already. Sessions start from it without clone and setup; it is built again when its
        branch moves.
      </p>
      {images.error && <ProblemNotice problem={images.error} />}
      {images.data?.builds_here === false && (
        <Notice tone="info">No images are built here: sessions clone and set up by themselves.</Notice>
      )}
      {images.data?.images.length === 0 && images.data.builds_here && (
        <Empty title="No images yet">
          The first session on a repository asks for one. <Inline text="Or: `outrider images build REPOSITORY`" />
        </Empty>
      )}
      {images.data && images.data.images.length > 0 && (
        <ul className="divide-y divide-line border-y border-line">
          {images.data.images.map((row) => (
            <Row key={`${row.repository} ${row.branch}`} row={row} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ row }: { readonly row: BranchImages }): ReactElement {
  const { build, cancel } = useBuildActions();
  const problem = build.error ?? cancel.error;
  return (
    <li className="py-3">
      <div className="flex items-start justify-between gap-4">
        <div className="min-w-0">
          <p className="truncate text-base font-medium">
            {row.repository} <span className="font-normal text-muted">{row.branch}</span>
          </p>
          <p className="mt-0.5 flex flex-wrap items-center gap-x-4 gap-y-0.5 text-xs">
            <Facts row={row} />
          </p>
        </div>
        {row.build && isUnderWay(row.build.state) ? (
          <Button onClick={() => row.build && cancel.mutate(row.build.id)} disabled={cancel.isPending}>
            <Square aria-hidden size={12} />
            Cancel
          </Button>
        ) : (
          <Button onClick={() => build.mutate(row)} disabled={build.isPending}>
            <Hammer aria-hidden size={14} />
            Build
          </Button>
        )}
      </div>
      <div className="mt-2 space-y-2 empty:hidden">
        {row.build?.state === "failed" && <Failure build={row.build} image={row.image} />}
        {problem && <ProblemNotice problem={asProblem(problem)} />}
      </div>
      {row.build && <Details build={row.build} image={row.image} />}
    </li>
  );
}

interface BuildProps {
  readonly build: Build;
  readonly image: RepositoryImage | null;
}

function Failure({ build, image }: BuildProps): ReactElement {
  const meanwhile = image ? "The last good image is used meanwhile." : "Sessions start cold meanwhile.";
  return (
    <Notice tone="warning" remedy={meanwhile}>
      <Inline text={build.detail || "The build failed."} />
    </Notice>
  );
}

/** Checks and log, when they are asked for. */
function Details({ build, image }: BuildProps): ReactElement {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="mt-1.5 rounded text-xs font-medium text-accent hover:underline pointer-coarse:py-2"
      >
        {open ? "Less" : "Checks and log"}
      </button>
      {open && (
        <div className="mt-2 space-y-3">
          {image?.diagnosis && <Diagnosis diagnosis={image.diagnosis} />}
          <BuildLog key={build.id} build={build} />
        </div>
      )}
    </>
  );
}

function Facts({ row }: { readonly row: BranchImages }): ReactElement {
  const { image, build } = row;
  return (
    <>
      {build && (build.state !== "done" || !image) && <BuildMark build={build} />}
      {image?.diagnosis && <DiagnosisMark diagnosis={image.diagnosis} />}
      {image ? (
        <>
          <span className="tabular text-muted">{shortHash(image.commit)}</span>
          <span className="text-muted">
            built <Time at={image.built_at} />
          </span>
          {image.bytes > 0 && <span className="tabular text-muted">{bytes(image.bytes)}</span>}
        </>
      ) : (
        <span className="text-muted">no image: sessions start cold</span>
      )}
    </>
  );
}
