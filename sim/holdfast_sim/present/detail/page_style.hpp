// What the pages of present/ have in common: colours of both themes, text, buttons, cards and tables.
#pragma once

namespace holdfast::sim::detail {

// Goes into the style element of a page. A script gives the root the class "dark".
inline constexpr auto kPageStyle = R"style(:root {
  color-scheme: light;
  --page: #fbfbfd; --panel: #ffffff; --text: #1b1f27; --soft: #596273; --line: #d9dde5; --link: #0b57d0;
  --good: #14692f; --bad: #a3123a; --mark: #0b57d0;
  --absent: #eceef2; --running: #cdeed6; --waiting: #e08700; --stopping: #6c7fb8; --lost: #6b0a2a; --done: #b4bac6;
}
:root.dark {
  color-scheme: dark;
  --page: #12151b; --panel: #1a1f28; --text: #e7eaf0; --soft: #a0a9b8; --line: #343c4a; --link: #8ab4ff;
  --good: #7fd99b; --bad: #ff8ba7; --mark: #8ab4ff;
  --absent: #20252f; --running: #1f5138; --waiting: #ffb84d; --stopping: #7f93d6; --lost: #ff5d8f; --done: #566071;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 16px; }
header { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: baseline; }
h1 { font-size: 1.45rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 28px 0 8px; }
p { margin: 4px 0; }
.soft { color: var(--soft); }
.verdict { font-weight: 650; padding: 1px 10px; border: 2px solid currentColor; border-radius: 99px; }
.good { color: var(--good); } .bad { color: var(--bad); }
.digest { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .82rem; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(145px, 1fr)); gap: 8px; margin: 14px 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.card b { display: block; font-size: 1.22rem; font-weight: 600; overflow-wrap: anywhere; }
.card span { color: var(--soft); font-size: .82rem; }
.tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 6px 0; }
button, select { font: inherit; font-size: .88rem; color: var(--text); background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 4px 10px; min-height: 32px; }
button:hover, select:hover { border-color: var(--soft); }
button.link { border: 0; background: none; padding: 0; min-height: 0; color: var(--link); text-decoration: underline; cursor: pointer;
  font-size: inherit; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; }
td.n, th.n { text-align: right; white-space: nowrap; padding-right: 18px; })style";

}  // namespace holdfast::sim::detail
