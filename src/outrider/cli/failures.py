"""What went wrong, taken out of the groups that task groups put round it."""


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that ended the others."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error
