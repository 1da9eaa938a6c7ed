#!/usr/bin/env python3
"""Makes unicode.tsv, the demo's data, from Debian's package unicode-data.

One row a character, in the order of the code points:

    U+1F600 <tab> GRINNING FACE; So Other Symbol; Emoticons; since 6.1; <the character>

Tab, newline and backslash in a value are written \\t, \\n and \\\\. The
character itself is left out where it would only disturb a terminal: control
(but tab and newline), format, surrogate and private-use characters.

    ./make_unicode.py [/usr/share/unicode] > unicode.tsv
"""
import bisect
import sys

NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def fields(path):
    """The semicolon-separated fields of every line, comments removed."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            text = line.split("#")[0].strip()
            if text:
                yield [field.strip() for field in text.split(";")]


def ranges(path):
    """Sorted (first, last, label) of a file of `first..last ; label`."""
    result = []
    for span, label, *_ in fields(path):
        first, _, last = span.partition("..")
        result.append((int(first, 16), int(last or first, 16), label))
    return sorted(result)


def look_up(table, starts, point):
    first, last, label = table[bisect.bisect_right(starts, point) - 1]
    return label if first <= point <= last else "none"


def main(folder):
    blocks = ranges(folder + "/Blocks.txt")
    ages = ranges(folder + "/DerivedAge.txt")
    block_starts = [first for first, _, _ in blocks]
    age_starts = [first for first, _, _ in ages]
    categories = {
        row[1]: row[2].replace("_", " ")
        for row in fields(folder + "/PropertyValueAliases.txt")
        if row[0] == "gc"
    }
    aliases = {}
    for code, alias, _ in fields(folder + "/NameAliases.txt"):
        aliases.setdefault(int(code, 16), alias)

    for row in fields(folder + "/UnicodeData.txt"):
        code, name, category = row[:3]
        point = int(code, 16)
        if name.startswith("<"):
            if name != "<control>":
                continue  # the first or last of a range without names
            name = "<control> " + aliases.get(point, "")
        parts = [
            name.strip(),
            category + " " + categories[category],
            look_up(blocks, block_starts, point),
            "since " + look_up(ages, age_starts, point),
        ]
        if category not in NOT_SHOWN or chr(point) in "\t\n":
            parts.append(chr(point))
        value = "; ".join(parts)
        value = value.replace("\\", "\\\\")
        value = value.replace("\t", "\\t").replace("\n", "\\n")
        print(f"U+{code}\t{value}")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode")
