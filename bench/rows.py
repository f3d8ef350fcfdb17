"""A row of the bench table: `{name, value, floor, ratio, target, met}`."""

Row = dict[str, object]


def faster(name: str, value: float, floor: float, target: float) -> Row:
    """A speed: the larger the better, met at `target` times the floor's."""
    return _row(name, value, floor, value / floor, target, met=value / floor >= target)


def slower(name: str, value: float, floor: float, target: float) -> Row:
    """A time: the smaller the better, met up to `target` times the floor's."""
    return _row(name, value, floor, value / floor, target, met=value / floor <= target)


def bounded(name: str, value: float, target: float) -> Row:
    """An amount with a limit and no floor."""
    return _row(name, value, None, None, target, met=value <= target)


def table(rows: list[Row]) -> str:
    """The rows as text, aligned."""
    cells = [["what", "value", "floor", "ratio", "target", ""]]
    cells += [[_cell(row[key]) for key in row] for row in rows]
    widths = [max(len(row_cells[column]) for row_cells in cells) for column in range(len(cells[0]))]
    lines = []
    for name, *rest in cells:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        lines.append(f"{name.ljust(widths[0])}  {numbers}")
    return "\n".join(lines)


def _row(  # all the columns
    name: str, value: float, floor: float | None, ratio: float | None, target: float, *, met: bool
) -> Row:
    return {
        "name": name,
        "value": _short(value),
        "floor": None if floor is None else _short(floor),
        "ratio": None if ratio is None else round(ratio, 3),
        "target": target,
        "met": met,
    }


def _short(value: float) -> float:
    return round(value) if value >= 100 else round(value, 2)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "met" if value else "NOT MET"
    return "-" if value is None else str(value)
