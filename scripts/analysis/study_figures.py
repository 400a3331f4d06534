"""Figures of a study as SVG: curves with intervals, and maps of points. No packages."""

import html

COLOURS = ["#1b6ca8", "#d1495b", "#3a7d44", "#7b4fa3", "#c77d1e", "#4f5d75"]
WIDTH, HEIGHT, MARGIN = 380, 280, 52


def scale(low, high, begin, end):
    """A linear map of [low, high] to [begin, end]."""
    size = (high - low) or 1
    return lambda value: begin + (value - low) / size * (end - begin)


def label(x, y, content, anchor="middle", size=11):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
            f"{html.escape(str(content))}</text>")


def line(x0, y0, x1, y1, colour="#bbb"):
    return (f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" '
            f'stroke="{colour}"/>')


def document(panels, columns):
    """Panels side by side."""
    rows = (len(panels) + columns - 1) // columns
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * WIDTH}" '
             f'height="{rows * HEIGHT}" font-family="sans-serif">',
             '<rect width="100%" height="100%" fill="white"/>']
    for number, panel in enumerate(panels):
        x, y = number % columns * WIDTH, number // columns * HEIGHT
        parts.append(f'<g transform="translate({x},{y})">{panel}</g>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def curves(title, series, unit):
    """One panel of curves over named values, each point with an interval.

    series: by name the points (value's name, estimate, low, high); low and high may be None."""
    values = [number for points in series.values() for _, *numbers in points
              for number in numbers if number is not None]
    if not values:
        return label(WIDTH / 2, 18, f"{title}: no finished runs", size=12)
    names = list(dict.fromkeys(point[0] for points in series.values() for point in points))
    low, high = min(values + [0]), max(values + [0])
    across = scale(0, max(1, len(names) - 1), MARGIN, WIDTH - 20)
    up = scale(low, high, HEIGHT - MARGIN, 34)
    parts = [label(WIDTH / 2, 18, title, size=12),
             line(MARGIN, up(0), WIDTH - 20, up(0), "#777")]
    for value in (low, 0, high):
        parts.append(label(MARGIN - 5, up(value) + 4, f"{value:+.1f}{unit}", "end", 10))
    for position, name in enumerate(names):
        parts.append(label(across(position), HEIGHT - MARGIN + 18, name))
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(across(names.index(point[0])) + 3 * number, point) for point in points]
        path = " ".join(f"{x:.1f},{up(point[1]):.1f}" for x, point in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        for x, (_, estimate, bottom, top) in places:
            parts.append(f'<circle cx="{x:.1f}" cy="{up(estimate):.1f}" r="3" fill="{colour}"/>')
            if bottom is not None:
                parts.append(line(x, up(bottom), x, up(top), colour))
        parts.append(f'<g fill="{colour}">'
                     + label(MARGIN + 90 * (number % 4), HEIGHT - 14 + 11 * (number // 4), name,
                             "start", 10) + "</g>")
    return "".join(parts)


def points(title, coordinates, groups, names):
    """One panel of points coloured by group; both axes have the same scale.

    coordinates: (x, y) of each point; groups: its group's number, or None for a grey point."""
    xs, ys = zip(*coordinates)
    size = max(max(xs) - min(xs), max(ys) - min(ys)) or 1
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    side = min(WIDTH, HEIGHT) - MARGIN
    parts = [label(WIDTH / 2, 18, title, size=12)]
    for (x, y), group in zip(coordinates, groups):
        colour = "#999" if group is None else COLOURS[group % len(COLOURS)]
        parts.append(
            f'<circle cx="{WIDTH / 2 + (x - middle[0]) / size * side:.1f}" '
            f'cy="{HEIGHT / 2 - (y - middle[1]) / size * side:.1f}" r="1.6" fill="{colour}" '
            'fill-opacity="0.5"/>')
    for number, name in enumerate(names):
        parts.append(f'<g fill="{COLOURS[number % len(COLOURS)]}">'
                     + label(10, 34 + 12 * number, name, "start", 10) + "</g>")
    return "".join(parts)
