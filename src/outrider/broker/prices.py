"""What a call costs, from the price list that comes with genai-prices. Nothing is fetched."""

from dataclasses import dataclass

import genai_prices

from outrider.model.engine import ModelRef


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used. `input` counts everything that was read in, cached or not; `cache_write_hour` is the part of
    `cache_write` that is kept for an hour and costs more."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_hour: int = 0


def price_of(model: ModelRef, tokens: Tokens) -> float | None:
    """US dollars, or None where the price list does not know the model or cannot price such a call.

    The rehearsal model is known to cost nothing. The first call loads the list, which takes some 0.3 s.
    """
    if model.is_rehearsal:
        return 0.0
    try:
        price = genai_prices.calc_price(_usage(tokens), model.name, provider_id=model.provider)
    except (LookupError, ValueError):
        return None
    return float(price.total_price)


def _usage(tokens: Tokens) -> genai_prices.Usage:
    usage = genai_prices.Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
    )
    return (
        usage + genai_prices.Usage(cache_write_1h_tokens=tokens.cache_write_hour) if tokens.cache_write_hour else usage
    )
