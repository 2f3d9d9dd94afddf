"""May this run start now? A pure decision over what is running."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from ator_lib.errors import FactorError, NeverAdmissibleError
from ator_lib.model import Holder, LocationStatus, Refusal

DEFAULT_CAPACITY = Decimal(1)

_MAX_DECIMAL_PLACES = 18
"""Sums of such factors are exact in the 28 digits that Decimal works with."""


def parse_factor(value: str | float | Decimal | None, *, what: str = "factor") -> Decimal | None:
    """Read a factor, or what else is summed up with them, floats by their decimal text.

    Returns
    -------
    Decimal or None
        ``None`` for ``None``. NaN and infinity are returned too: ``check_admissible`` refuses them.

    Raises
    ------
    FactorError
        It is no number, or has more than 18 decimal places.

    Examples
    --------
    >>> sum(parse_factor(0.1) for _ in range(10))
    Decimal('1.0')
    """
    if value is None:
        return None
    try:
        text = str(value).strip()
        if isinstance(value, bool) or not text.isascii() or "_" in text:  # which Decimal reads, and nobody means
            raise InvalidOperation
        factor = Decimal(text)
    except InvalidOperation:
        raise FactorError(f"{what} {value!r} is not a number; give a decimal such as 0.4") from None
    exponent = factor.as_tuple().exponent
    if isinstance(exponent, int) and factor and exponent < -_MAX_DECIMAL_PLACES:
        raise FactorError(f"{what} {value!r} has more than {_MAX_DECIMAL_PLACES} decimal places; round it")
    return factor if factor else Decimal(0)  # no minus zero, no zeros with an exponent


def check_admissible(factor: Decimal | None, capacity: Decimal, location: str) -> None:
    """Refuse a factor that not even the empty location could take.

    Raises
    ------
    NeverAdmissibleError
        It is below 0, not finite, or not below the capacity.
    """
    factor = Decimal(0) if factor is None else factor
    if factor.is_finite() and 0 <= factor < capacity:
        return
    raise NeverAdmissibleError(
        f"factor {factor} can never be admitted at location {location!r}: it must be 0 or more and below "
        f"the capacity of {capacity:f}. Give a smaller factor, or a location with more capacity."
    )


def decide(
    request: Decimal,
    holders: Sequence[Holder],
    capacity: Decimal,
    location: str,
    *,
    ahead: Sequence[Holder] = (),
    waits_already: bool = False,
    status: LocationStatus = LocationStatus.ONLINE,
) -> Refusal | None:
    """Decide whether ``request`` fits beside the holders: their sum with it is strictly below the capacity.

    Those who wait ``ahead`` of it count as if they ran already. So their place is reserved, and a
    heavy run cannot be overtaken for ever by light ones. A request that takes nothing waits for nobody.

    Parameters
    ----------
    waits_already
        Whether the request is in the queue: a draining location still takes those.

    Returns
    -------
    Refusal or None
        ``None`` if the run may start.

    Examples
    --------
    >>> holders = [Holder(run_id=1, test="checkout", factor=Decimal("0.6"))]
    >>> decide(Decimal("0.3"), holders, Decimal(1), "lab-1") is None
    True
    >>> decide(Decimal("0.4"), holders, Decimal(1), "lab-1").taken
    Decimal('0.6')
    >>> heavy = Holder(run_id=2, test="nightly", factor=Decimal("0.9"))
    >>> decide(Decimal("0.3"), holders, Decimal(1), "lab-1", ahead=[heavy]).ahead[0].run_id
    2
    """
    taken = taken_by(holders)
    reserved = taken_by([holder for holder in ahead if holder.factor < capacity]) if request else Decimal(0)
    if _takes(status, waits_already) and taken + reserved + request < capacity:
        return None
    return Refusal(
        location=location,
        taken=taken,
        requested=request,
        limit=capacity,
        holders=tuple(holder for holder in holders if holder.factor),
        ahead=tuple(ahead) if reserved else (),
        status=status,
    )


def _takes(status: LocationStatus, waits_already: bool) -> bool:
    return status is LocationStatus.ONLINE or (status is LocationStatus.DRAINING and waits_already)


def taken_by(holders: Sequence[Holder]) -> Decimal:
    """Sum the holders' factors, exactly."""
    return sum((holder.factor for holder in holders), Decimal(0))
