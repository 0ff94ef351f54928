"""TeX to MathML for the page: one converter for the whole process, colours as CSS classes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from derive.tex_names import TEX_SPECIALS, Dialect, clean

# The converter knows no colours but those of xcolor, and writes them inline, where dark mode cannot
# reach them. So each factor is given one of its colours, which becomes a class on the finished element.
_COLORS = ("RoyalBlue", "BrickRed", "teal", "Mulberry", "olive", "gray")


def _text(text: str) -> str:
    return "".join(TEX_SPECIALS.get(c, c) for c in clean(text))


MATHML = Dialect(colors=_COLORS, text=_text)


def mathml(tex: str, *, display: bool = False) -> str:
    """One formula as a ``<math>`` element; ``tex`` is printed in the dialect `MATHML`."""
    converter, classes = _converter()
    made: str = converter.convert_with_local_state(tex, displaystyle=display)
    colored = re.sub(r'<mrow style="color:(#[0-9A-F]{6});">', lambda m: f'<mrow class="{classes[m[1]]}">', made)
    # Chromium draws nothing for menclose; a row with a border of the style sheet is drawn everywhere.
    boxed = re.sub(r'<menclose notation="box">', '<mrow class="boxed">', colored)
    return boxed.replace("</menclose>", "</mrow>")


@cache
def _converter() -> tuple[Any, dict[str, str]]:
    """The converter, and the class of the factor behind each colour that it writes."""
    from math_core import LatexToMathML

    converter = LatexToMathML(fancy_error=False)
    classes: dict[str, str] = {}
    for factor, color in enumerate(_COLORS, 1):
        made = converter.convert_with_local_state(rf"\textcolor{{{color}}}{{x}}", displaystyle=False)
        classes[re.findall(r"#[0-9A-F]{6}", made)[0]] = f"factor{factor}"
    return converter, classes
