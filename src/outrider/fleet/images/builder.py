"""One build: the image made, recorded, and its checks run once."""

import logging
from dataclasses import dataclass

from outrider.fleet.images.ledger import Ledger
from outrider.fleet.images.log import BuildLog
from outrider.fleet.images.making import Examiner, ImageMaker
from outrider.model.errors import OutriderError
from outrider.model.image import Build, BuildState, RepositoryImage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Builder:
    """Carries builds out."""

    maker: ImageMaker
    examiner: Examiner
    ledger: Ledger

    async def carry_out(self, build: Build, log: BuildLog) -> None:
        """Make the image, record it, examine it, and say in the ledger what came of it. Cancelling it leaves that to
        the caller."""
        try:
            commit = await self.maker.head(build)
            build = await self.ledger.put(build.model_copy(update={"commit": commit}))
            image = await self.maker.make(build, commit, log)
            if image.build == build.id:
                await self.ledger.catalog.put_image(image)
            said = await self._examine(image, log)
        except OutriderError as error:
            await self._fail(build, log, log.clean(f"{error.sentence} {error.remedy}".strip()))
        except Exception:  # noqa: BLE001 -- the edge of a task: one build must not end the others
            _log.exception("build %s went wrong in a way that nobody thought of", build.id)
            await self._fail(build, log, "Something went wrong in Outrider itself; the server's log says more.")
        else:
            log.say(said)
            await self.ledger.end(build, BuildState.DONE, said, log.tail(), image)

    async def _examine(self, image: RepositoryImage, log: BuildLog) -> str:
        """Run the checks once, and say what came of the build. What they say, or why they could not be run, is no
        failure of the build."""
        made = f"The image of {image.commit[:12]} is ready."
        if image.diagnosis is not None:
            return made
        try:
            repository = await self.maker.repository(image.repository)
            diagnosis = await self.examiner.examine(repository, image, log)
        except OutriderError as error:
            return f"{made} Its checks could not be run: {error.sentence}"
        await self.ledger.catalog.put_image(image.model_copy(update={"diagnosis": diagnosis}))
        return f"{made} {diagnosis.summary}"

    async def _fail(self, build: Build, log: BuildLog, why: str) -> None:
        kept = await self.ledger.catalog.images(build.repository, build.branch)
        last = f"The last good image, of {kept[0].commit[:12]}, is kept." if kept else "There is no image yet."
        log.say(why)
        log.say(last)
        await self.ledger.end(build, BuildState.FAILED, f"{why} {last}", log.tail())
