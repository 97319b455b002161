"""What the deployment lets people do, and how much of it is used."""

from fastapi import APIRouter

from outrider.api.parts import UseLogin, UseParts
from outrider.api.views import LimitList

router = APIRouter(prefix="/api/limits", tags=["limits"])


@router.get("")
async def limits(parts: UseParts, login: UseLogin) -> LimitList:
    """Every limit: who it is for, its value, the setting that raises it, and how much the caller or all use now."""
    return LimitList(limits=await parts.limits_of(login.person))
