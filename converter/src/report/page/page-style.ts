/** How the page looks: light and dark, on paper, and with no font or picture from elsewhere. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fcfcfb, #16181b);
  --card: light-dark(#ffffff, #1e2125);
  --ink: light-dark(#1c2127, #e6e8ea);
  --faint: light-dark(#5c6672, #9aa4b0);
  --rule: light-dark(#dfe3e8, #343a42);
  --good: light-dark(#12693a, #6fcf97);
  --bad: light-dark(#a8231c, #ff8a80);
  --other: light-dark(#6a4800, #f2c063);
  font: 15px/1.5 system-ui, sans-serif;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
article + article { border-top: 3px double var(--rule); margin-top: 3rem; padding-top: 1rem; }
h1 { font-size: 1.7rem; margin: 0; overflow-wrap: anywhere; }
header p { margin: 0 0 1rem; color: var(--faint); }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 60rem; }
section { overflow-x: auto; }
code { font: .86em/1.5 ui-monospace, monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
.note { color: var(--faint); font-size: .9em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: .6rem .8rem; }
.facts dt { color: var(--faint); font-size: .85em; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.facts .about { font-size: .82em; font-weight: 400; color: var(--faint); }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: start; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--rule); }
thead th { color: var(--faint); font-size: .85em; font-weight: 600; }
tbody th { font-weight: 500; }
td:has(code) { min-width: 16rem; }
.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.yes { color: var(--good); }
.no { color: var(--bad); font-weight: 600; }
.ours { color: var(--other); }
summary { cursor: pointer; }
summary code { word-break: break-all; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .6rem 0; padding: 0; font-size: .9em; }
.swatch { display: inline-block; width: .9em; height: .9em; margin-inline-end: .4em; border-radius: 3px; border: 1.5px solid var(--line); background: var(--fill); vertical-align: -.1em; }
.zoom { border: 0; margin: .4rem 0; padding: 0; display: flex; gap: 1rem; font-size: .9em; }
.zoom legend { float: left; padding: 0; margin-inline-end: .8rem; color: var(--faint); }
.picture { max-height: 85vh; overflow: auto; border: 1px solid var(--rule); border-radius: 8px; background: var(--card); }
.picture svg { display: block; margin: 0 auto; width: calc(var(--width) * var(--zoom, 1)); height: auto; }
.zoom:has(.zoom-quarter:checked) + .picture { --zoom: .25; }
.zoom:has(.zoom-half:checked) + .picture { --zoom: .5; }
.zoom:has(.zoom-double:checked) + .picture { --zoom: 2; }
.box rect { fill: var(--fill); stroke: var(--line); stroke-width: 1.2; }
.box text { fill: var(--ink); font: 12px ui-monospace, monospace; text-anchor: middle; }
.box .shape { fill: var(--faint); font-size: 11px; }
.lines path { fill: none; stroke: var(--faint); stroke-width: 1.1; }
.head { fill: var(--faint); }
.fused { --fill: light-dark(#ddf3e4, #17362a); --line: light-dark(#2b8a57, #4fb286); }
.filter { --fill: light-dark(#dfeafc, #1b2d48); --line: light-dark(#3a6fc4, #6f9fe8); }
.elementwise { --fill: light-dark(#fdf0d5, #3b2f14); --line: light-dark(#b07d1a, #d8aa52); }
.reduction { --fill: light-dark(#efe3fa, #33244a); --line: light-dark(#8453bb, #b58ae6); }
.layout { --fill: light-dark(#eceff2, #2a2f36); --line: light-dark(#7d8894, #8d98a5); }
.control { --fill: light-dark(#fde2e2, #47211f); --line: light-dark(#bf4a45, #e88a85); }
.own { --fill: light-dark(#d9f1f3, #123840); --line: light-dark(#1c8592, #57bccb); }
.end { --fill: light-dark(#ffffff, #101214); --line: light-dark(#1c2127, #e6e8ea); }
.scope { --fill: light-dark(#f4f1ea, #2b2822); --line: light-dark(#948463, #b3a27d); }
@media print {
  main { max-width: none; padding: 0; }
  .zoom { display: none; }
  .picture { max-height: none; overflow: visible; border: 0; }
  .picture svg { width: min(100%, calc(var(--width) * .6)); }
  tr, .facts div { break-inside: avoid; }
}
`;
