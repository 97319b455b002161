"""Search: what people asked and agents said, in all sessions."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from outrider.api.access import is_visible
from outrider.api.choosing import EVERY, SEARCHED, UseWanted
from outrider.api.parts import UseLogin, UseParts
from outrider.api.views import SearchHit, SearchHits, SnippetText

router = APIRouter(prefix="/api/search", tags=["sessions"])


@router.get("")
async def search(
    parts: UseParts,
    login: UseLogin,
    q: Annotated[str, Query(max_length=500, description="All the words; the last one may be a beginning")],
    wanted: UseWanted,
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> SearchHits:
    """Titles, prompts, the agents' prose and pull requests that hold all the words, best first. In archived
    sessions too, where no state is asked for."""
    found: list[SearchHit] = []
    wanted = wanted if wanted.statuses else replace(wanted, statuses=EVERY)
    for hit in await parts.search.find(q, SEARCHED):
        row = await parts.index.get(hit.session)
        if row is not None and wanted.has(row) and is_visible(parts, login, row) and len(found) < limit:
            snippet = tuple(SnippetText(text=part.text, hit=part.hit) for part in hit.snippet)
            found.append(
                SearchHit(
                    session=hit.session,
                    title=row.title,
                    status=row.status,
                    repository=row.repository,
                    kind=hit.kind,
                    seq=hit.seq,
                    at=hit.at,
                    snippet=snippet,
                )
            )
    return SearchHits(hits=tuple(found))
