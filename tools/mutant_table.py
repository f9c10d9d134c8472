"""The verdicts on mutants in docs/mutants.md: a table for each suite, which a run brings up to date by its parts."""
import re

KILLED, SURVIVED, ERROR, NOT_RUN = "killed", "SURVIVED", "ERROR", "not run"
HEADING = "## The suite `{}`"
IS_HEADING = re.compile(r"^## The suite `(\w+)`$")
ROW = re.compile(r"^\| (.+?) \| `(.+?)` \| (.+?) \| ?(.*?) ?\|$")


def split(text):
    """What stands before the tables, {suite: {name: (file, verdict, by)}}, what stands behind them."""
    before, behind, tables, suite = [], [], {}, None
    for line in text.splitlines():
        heading = IS_HEADING.match(line)
        if heading:
            suite = heading[1]
            tables[suite] = {}
        elif not tables:
            before.append(line)
        elif behind or line.startswith("#"):
            behind.append(line)
        elif row := ROW.match(line):
            tables[suite][row[1]] = row.groups()[1:]
    return before, tables, behind


def merged(text, suites, judged):
    """The text with a row for each mutant of `suites`: as it was judged, or else as it stands there.

    `suites` is {suite: mutants}, `judged` {(suite, name): (verdict, by)}.
    """
    before, tables, behind = split(text)
    lines = [*before]
    for suite, mutants in suites.items():
        if lines and lines[-1]:
            lines.append("")
        lines += [HEADING.format(suite), "", "| guard removed | where | verdict | noticed by |", "|---|---|---|---|"]
        for name, file, *_ in mutants:
            stands = tables.get(suite, {}).get(name)
            verdict, by = stands[1:] if stands and stands[0] == file else (NOT_RUN, "")
            verdict, by = judged.get((suite, name), (verdict, by))
            lines.append(f"| {name} | `{file}` | {verdict} | {by.replace('|', '/')} |")
    return "\n".join([*lines, *([""] if behind else []), *behind]) + "\n"


def problems(text, suites):
    """Mutants that stand there as anything but killed, and rows that are no mutants. `not run` is the truth."""
    tables = split(text)[1]
    for suite, mutants in suites.items():
        rows = dict(tables.get(suite, {}))
        for name, file, *_ in mutants:
            stands = rows.pop(name, None)
            if stands is None:
                yield f"{suite}, '{name}': the table has no row of it"
            elif stands[0] != file:
                yield f"{suite}, '{name}': the table has it in {stands[0]}, not in {file}"
            elif stands[1] not in (KILLED, NOT_RUN):
                yield f"{suite}, '{name}': {stands[1]}"
        yield from (f"{suite}, '{name}': a row without a mutant" for name in rows)
    yield from (f"{suite}: a table without a suite" for suite in tables if suite not in suites)
