#include <holdfast_sim/present/detail/report_page.hpp>

namespace holdfast::sim::detail {

// One file, and nothing from a network. States differ in lightness as well as in colour, and faults are hatched, so
// that the picture is read without colour vision. The script writes text only as text, never as HTML.
const char* const kReportPage = R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="holdfast report">
<title>/*TITLE*/ – holdfast</title>
<link rel="icon" href="data:,">
<style>
/*STYLE*/
.stage { position: relative; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 6px; }
canvas { display: block; width: 100%; touch-action: pan-y; }
#tip { position: absolute; pointer-events: none; background: var(--text); color: var(--page); padding: 4px 8px; border-radius: 6px;
  font-size: .84rem; max-width: min(320px, 80%); overflow-wrap: anywhere; visibility: hidden; z-index: 2; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: .86rem; margin: 6px 0; padding: 0; list-style: none; }
.legend i { display: inline-block; width: 22px; height: 13px; vertical-align: -2px; margin-right: 5px; border: 1px solid var(--line); }
.legend i.fault { background: repeating-linear-gradient(135deg, var(--running) 0 3px, var(--text) 3px 4px); }
#where { min-height: 1.5em; }
.scroll { overflow-x: auto; }
details > summary { cursor: pointer; padding: 4px 0; }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; padding: 0 5px; font-size: .84em; }
@media (max-width: 520px) { main { padding: 10px; } h1 { font-size: 1.2rem; } .cards { grid-template-columns: 1fr 1fr; } }
@media print { .tools { display: none; } }
</style>
</head>
<body>
<main>
<header>
  <h1>/*TITLE*/</h1>
  <span id="verdict" class="verdict"></span>
  <span id="facts" class="soft"></span>
</header>
<p id="why" class="bad"></p>
<div id="cards" class="cards"></div>
<section aria-labelledby="fleet-title">
  <h2 id="fleet-title">The fleet over time</h2>
  <div class="tools">
    <label>Sort <select id="sort"><option value="group">by group</option><option value="trouble">by first failure</option></select></label>
    <button id="in" title="Zoom in (+)">Zoom in</button><button id="out" title="Zoom out (-)">Zoom out</button>
    <button id="all" title="Show everything (0)">Everything</button><button id="theme">Dark</button>
  </div>
  <ul id="legend" class="legend"></ul>
  <div class="stage"><canvas id="map" tabindex="0" role="img" aria-describedby="where keys"></canvas><div id="tip" role="presentation"></div></div>
  <p id="where" aria-live="polite" class="soft"></p>
  <div class="stage" style="margin-top:8px"><canvas id="counts" role="img" aria-label="Services that wait or are lost, and restarts, over time"></canvas></div>
  <p id="keys" class="soft">Keys on the picture: <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>+</kbd> <kbd>-</kbd> zoom,
  <kbd>0</kbd> everything, <kbd>S</kbd> sort. With a mouse: point, drag, turn the wheel with <kbd>Ctrl</kbd>.</p>
</section>
<section id="tables"></section>
</main>
<script id="data" type="application/json">/*DATA*/</script>
<script>
"use strict";
const data = JSON.parse(document.getElementById("data").textContent), report = data.report;
const $ = id => document.getElementById(id);
const STATES = ["absent", "running", "waiting", "stopping", "lost", "done"];
const WORDS = ["not there", "running", "waiting to start", "stopping", "lost: given up", "done"];
const WORST = [0, 2, 4, 3, 5, 1];  // which state shows where a pixel has several
const FAULT = 8;
const buckets = data.buckets, bucket = data.bucket_ns, rows = data.rows.length, length = buckets * bucket;

function human(ns) {
  const parts = [["d", 864e11], ["h", 36e11], ["min", 6e10], ["s", 1e9], ["ms", 1e6], ["us", 1e3], ["ns", 1]];
  if (!(ns > 0)) return "0s";
  const at = parts.findIndex(([, size]) => ns >= size);
  if (at < 0) return "0s";
  if (at > 2) return (ns / parts[at][1]).toPrecision(3).replace(/\.?0+$/, "") + parts[at][0];
  const first = Math.floor(ns / parts[at][1]), rest = Math.round((ns - first * parts[at][1]) / parts[at + 1][1]);
  return first + parts[at][0] + (rest ? rest + parts[at + 1][0] : "");
}
const count = n => String(n).replace(/\B(?=(\d{3})+$)/g, "\u2009");
function add(parent, tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  parent.append(made);
  return made;
}

// Cells, a byte each, a row after the other.
const cells = new Uint8Array(rows * buckets);
data.rows.forEach((row, r) => {
  const bytes = atob(row[3]);
  let at = r * buckets;
  for (let i = 0; i < bytes.length; ++i) {
    const byte = bytes.charCodeAt(i), cell = byte & 15;
    let run = (byte >> 4) + 1;
    if (run === 16) {
      let shift = 0, rest = 0, next;
      do { next = bytes.charCodeAt(++i); rest += (next & 127) * 2 ** shift; shift += 7; } while (next & 128);
      run += rest;
    }
    cells.fill(cell, at, at + run);
    at += run;
  }
});
const totals = STATES.map(() => new Uint32Array(buckets));
for (let r = 0; r < rows; ++r) for (let b = 0; b < buckets; ++b) ++totals[cells[r * buckets + b] & 7][b];

const orders = {
  group: [...data.rows.keys()].sort((a, b) => (data.rows[a][1] ?? 1e9) - (data.rows[b][1] ?? 1e9) || a - b),
  trouble: [...data.rows.keys()].sort((a, b) => (data.rows[a][2] ?? Infinity) - (data.rows[b][2] ?? Infinity) || a - b),
};
let order = orders.group;
const view = {t0: 0, t1: buckets, r0: 0, r1: Math.max(rows, 1)};
let cursor = null;  // {row: place in the order, bucket}
const map = $("map"), counts = $("counts"), tip = $("tip");
let plot = {left: 0, top: 0, width: 1, height: 1};

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = name => style.getPropertyValue("--" + name).trim();
  const rgb = text => [1, 3, 5].map(i => parseInt(text.slice(i, i + 2), 16));
  const cells = STATES.map(state => rgb(read(state)));
  // Dark lines on what is light, and light ones on what is dark.
  const hatches = cells.map(([r, g, b]) => .3 * r + .6 * g + .1 * b > 110 ? [20, 24, 32] : [235, 238, 244]);
  return {read, cells, hatches};
}
function fitted(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = Math.max(canvas.parentElement.clientWidth - 12, 200);
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  return {pen, width, height, ratio};
}
function gutter(width) { return width < 520 ? 64 : 150; }
const x_of = (b, p) => p.left + (b - view.t0) / (view.t1 - view.t0) * p.width;

function ticks(pen, p, colour, bottom) {
  const steps = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 2e9, 5e9, 1e10, 2e10, 3e10, 6e10, 12e10, 3e11, 6e11, 18e11, 36e11, 108e11, 216e11, 432e11, 864e11, 1728e11,
                 6048e11, 2592e12, 7776e12, 31536e12];
  const span = (view.t1 - view.t0) * bucket, most = Math.max(3, Math.floor(p.width / 90));
  const step = steps.find(one => span / one <= most) ?? steps[steps.length - 1] * 5;
  pen.fillStyle = colour; pen.strokeStyle = colour; pen.textBaseline = "top";
  for (let t = Math.ceil(view.t0 * bucket / step) * step; t <= view.t1 * bucket; t += step) {
    const x = x_of(t / bucket, p);
    pen.globalAlpha = .35; pen.fillRect(x, p.top, 1, p.height); pen.globalAlpha = 1;
    pen.textAlign = x > p.left + p.width - 30 ? "right" : x < p.left + 20 ? "left" : "center";
    pen.fillText(human(t), x, bottom);
  }
}
function draw_map() {
  const tall = rows <= 40 ? Math.max(120, rows * 15) : Math.min(540, Math.max(240, rows));
  const strip = data.faults.length ? 14 : 0;
  const {pen, width, height, ratio} = fitted(map, tall + strip + 24);
  const look = colours();
  const p = plot = {left: gutter(width), top: strip + 2, width: width - gutter(width) - 8, height: tall};
  // At the resolution of the screen, pixel by pixel.
  const w = Math.max(1, Math.round(p.width * ratio)), h = Math.max(1, Math.round(p.height * ratio));
  const image = pen.createImageData(w, h), pixels = image.data;
  const columns = new Int32Array(w + 1);
  for (let x = 0; x <= w; ++x) columns[x] = Math.min(buckets - 1, Math.floor(view.t0 + x / w * (view.t1 - view.t0)));
  for (let y = 0; y < h; ++y) {
    const from = Math.floor(view.r0 + y / h * (view.r1 - view.r0));
    const to = Math.max(from + 1, Math.min(rows, Math.floor(view.r0 + (y + 1) / h * (view.r1 - view.r0))));
    for (let x = 0; x < w; ++x) {
      let shown = 0, worst = -1;
      for (let r = from; r < to && r < rows; ++r) {
        const cell = cells[order[r] * buckets + columns[x]], bad = WORST[cell & 7] * 2 + (cell >> 3);
        if (bad > worst) { worst = bad; shown = cell; }
      }
      const hatched = shown & FAULT && (x + y) % (6 * ratio | 0) < ratio;
      const rgb = hatched ? look.hatches[shown & 7] : look.cells[shown & 7], at = (y * w + x) * 4;
      pixels[at] = rgb[0]; pixels[at + 1] = rgb[1]; pixels[at + 2] = rgb[2]; pixels[at + 3] = 255;
    }
  }
  pen.putImageData(image, Math.round(p.left * ratio), Math.round(p.top * ratio));
  draw_faults(pen, p, look, strip);
  ticks(pen, p, look.read("soft"), p.top + p.height + 5);
  draw_labels(pen, p, look);
  if (cursor) draw_cursor(pen, p, look);
}
function draw_faults(pen, p, look, strip) {
  if (!strip) return;
  pen.fillStyle = look.read("soft"); pen.textAlign = "right"; pen.textBaseline = "middle";
  pen.fillText("faults", p.left - 6, strip / 2);
  pen.fillStyle = look.read("text");
  for (const [, from, until] of data.faults) {
    const a = Math.max(p.left, x_of(from / bucket, p)), b = Math.min(p.left + p.width, x_of(until / bucket, p));
    if (a > p.left + p.width || b < p.left) continue;
    pen.globalAlpha = .55; pen.fillRect(a, 2, Math.max(1.5, b - a), strip - 5); pen.globalAlpha = 1;
  }
}
function short(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  while (text.length > 1 && pen.measureText(text + "…").width > room) text = text.slice(0, -1);
  return text + "…";
}
function draw_labels(pen, p, look) {
  pen.fillStyle = look.read("text"); pen.textAlign = "right"; pen.textBaseline = "middle";
  const per = p.height / (view.r1 - view.r0), room = p.left - 10;
  if (per >= 12) {
    for (let r = Math.floor(view.r0); r < Math.min(rows, view.r1); ++r) {
      const y = p.top + (r + .5 - view.r0) * per;
      if (y > p.top && y < p.top + p.height) pen.fillText(short(pen, data.rows[order[r]][0], room), p.left - 6, y);
    }
  } else if (order === orders.group) {
    for (let r = 0; r < rows;) {
      const group = data.rows[order[r]][1];
      let end = r + 1;
      while (end < rows && data.rows[order[end]][1] === group) ++end;
      const top = Math.max(p.top, p.top + (r - view.r0) * per), bottom = Math.min(p.top + p.height, p.top + (end - view.r0) * per);
      if (bottom - top >= 12) {
        const name = group === null ? "others" : data.groups[group];
        pen.fillText(short(pen, name, room), p.left - 6, (top + bottom) / 2 - 7);
        pen.globalAlpha = .7; pen.fillText(count(end - r), p.left - 6, (top + bottom) / 2 + 8); pen.globalAlpha = 1;
      }
      if (r > 0 && top > p.top) pen.fillRect(p.left - 30, top, 30, 1);
      r = end;
    }
  } else {
    pen.fillText(short(pen, "first to fail", room), p.left - 6, p.top + 8);
    pen.fillText(short(pen, "last", room), p.left - 6, p.top + p.height - 8);
  }
}
function draw_cursor(pen, p, look) {
  const x = x_of(cursor.bucket + .5, p), y = p.top + (cursor.row + .5 - view.r0) / (view.r1 - view.r0) * p.height;
  pen.strokeStyle = look.read("mark"); pen.lineWidth = 2;
  pen.strokeRect(x - 5, y - 5, 10, 10);
  pen.globalAlpha = .6; pen.lineWidth = 1; pen.strokeRect(x, p.top, 0, p.height); pen.globalAlpha = 1;
}
function draw_counts() {
  const {pen, width} = fitted(counts, 206), look = colours();
  const left = gutter(width), w = width - left - 8;
  const charts = [{top: 20, height: 70, title: "services that wait, and below them those that are lost"},
                  {top: 116, height: 66, title: "restarts a second", bars: true}];
  const from = Math.floor(view.t0), to = Math.min(buckets, Math.ceil(view.t1));
  for (const chart of charts) {
    const p = {left, top: chart.top, width: w, height: chart.height};
    let most = 0;
    const value = b => chart.bars ? data.restarts[b] / (bucket / 1e9) : totals[4][b] + totals[2][b];
    for (let b = from; b < to; ++b) most = Math.max(most, value(b));
    const y = v => p.top + p.height - (most ? v / most * p.height : 0);
    const column = Math.max(1, w / (view.t1 - view.t0));
    for (let b = from; b < to; ++b) {
      const x = Math.max(p.left, x_of(b, p)), wide = Math.min(column + .5, p.left + p.width - x);
      if (chart.bars) {
        pen.fillStyle = look.read("stopping"); pen.fillRect(x, y(value(b)), wide, p.top + p.height - y(value(b)));
      } else {
        pen.fillStyle = look.read("lost"); pen.fillRect(x, y(totals[4][b]), wide, p.top + p.height - y(totals[4][b]));
        pen.fillStyle = look.read("waiting");
        pen.fillRect(x, y(value(b)), wide, y(totals[4][b]) - y(value(b)));
      }
    }
    pen.fillStyle = look.read("text"); pen.textAlign = "right"; pen.textBaseline = "top";
    pen.textAlign = "left"; pen.fillText(chart.title, p.left, p.top - 15); pen.textAlign = "right";
    pen.fillStyle = look.read("soft");
    pen.fillText(most >= 10 ? count(Math.round(most)) : most.toPrecision(2).replace(/\.?0+$/, ""), left - 6, p.top);
    pen.fillRect(p.left, p.top + p.height, p.width, 1);
    if (chart.bars) ticks(pen, {...p, top: 20, height: p.top + p.height - 20}, look.read("soft"), p.top + p.height + 5);
  }
}
function draw() { draw_map(); draw_counts(); }

function describe(row, b) {
  const service = order[row], cell = cells[service * buckets + b];
  return data.rows[service][0] + ", " + human(b * bucket) + " to " + human((b + 1) * bucket) + ": " + WORDS[cell & 7] +
      (cell & FAULT ? ", in a fault" : "");
}
function at_pointer(event) {
  const box = map.getBoundingClientRect(), x = event.clientX - box.left - plot.left, y = event.clientY - box.top - plot.top;
  if (x < 0 || y < 0 || x >= plot.width || y >= plot.height || rows === 0) return null;
  return {bucket: Math.min(buckets - 1, Math.floor(view.t0 + x / plot.width * (view.t1 - view.t0))),
          row: Math.min(rows - 1, Math.floor(view.r0 + y / plot.height * (view.r1 - view.r0)))};
}
function clamp_view() {
  const t = Math.min(buckets, Math.max(4, view.t1 - view.t0)), r = Math.min(Math.max(rows, 1), Math.max(4, view.r1 - view.r0));
  view.t0 = Math.max(0, Math.min(buckets - t, view.t0)); view.t1 = view.t0 + t;
  view.r0 = Math.max(0, Math.min(Math.max(rows, 1) - r, view.r0)); view.r1 = view.r0 + r;
}
function zoom(factor, about) {
  const t = about ? about.bucket : (view.t0 + view.t1) / 2, r = about ? about.row : (view.r0 + view.r1) / 2;
  view.t0 = t - (t - view.t0) * factor; view.t1 = t + (view.t1 - t) * factor;
  if (rows > 40) { view.r0 = r - (r - view.r0) * factor; view.r1 = r + (view.r1 - r) * factor; }
  clamp_view(); draw();
}
function show_all() { Object.assign(view, {t0: 0, t1: buckets, r0: 0, r1: Math.max(rows, 1)}); draw(); }
function go_to(spot) {
  cursor = spot;
  for (const [low, high, at] of [["t0", "t1", spot.bucket], ["r0", "r1", spot.row]]) {
    const span = view[high] - view[low];
    if (at < view[low] || at >= view[high]) { view[low] = at - span / 2; view[high] = view[low] + span; }
  }
  clamp_view(); draw();
  $("where").textContent = describe(spot.row, spot.bucket);
}
function show_event(at, service) {
  const row = service ? order.findIndex(r => data.rows[r][0] === service) : cursor ? cursor.row : 0;
  if (rows) go_to({row: Math.max(0, row), bucket: Math.min(buckets - 1, Math.floor(at / bucket))});
  map.scrollIntoView({block: "center"}); map.focus({preventScroll: true});
}
function set_sort(kind) {
  const service = cursor ? order[cursor.row] : -1;
  order = orders[kind];
  if (cursor) cursor.row = order.indexOf(service);
  $("sort").value = kind; draw();
}
function set_theme(dark) {
  document.documentElement.classList.toggle("dark", dark);
  $("theme").textContent = dark ? "Light" : "Dark";
  draw();
}

let dragged = null;
map.addEventListener("pointerdown", event => { dragged = {x: event.clientX, y: event.clientY, ...view, moved: false}; });
window.addEventListener("pointerup", event => {
  if (dragged && !dragged.moved && event.target === map) { const spot = at_pointer(event); if (spot) go_to(spot); }
  dragged = null;
});
map.addEventListener("pointermove", event => {
  if (dragged && event.buttons) {
    const x = event.clientX - dragged.x, y = event.clientY - dragged.y;
    dragged.moved ||= Math.abs(x) + Math.abs(y) > 4;
    const t = x / plot.width * (dragged.t1 - dragged.t0), r = y / plot.height * (dragged.r1 - dragged.r0);
    Object.assign(view, {t0: dragged.t0 - t, t1: dragged.t1 - t, r0: dragged.r0 - r, r1: dragged.r1 - r});
    clamp_view(); draw();
  }
  const spot = at_pointer(event);
  tip.style.visibility = spot ? "visible" : "hidden";
  if (!spot) return;
  tip.textContent = describe(spot.row, spot.bucket);
  const box = map.parentElement.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  tip.style.left = Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 8)) + "px";
  tip.style.top = (y + 34 > box.height ? y - 40 : y + 16) + "px";
});
map.addEventListener("pointerleave", () => { tip.style.visibility = "hidden"; });
map.addEventListener("wheel", event => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1 / 1.3 : 1.3, at_pointer(event));
}, {passive: false});
map.addEventListener("keydown", event => {
  const step = event.shiftKey ? 10 : 1;
  const spot = cursor ?? {row: Math.floor(view.r0), bucket: Math.floor(view.t0)};
  const moves = {ArrowLeft: [0, -step], ArrowRight: [0, step], ArrowUp: [-step, 0], ArrowDown: [step, 0]};
  const move = moves[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (move && rows) {
    go_to({row: Math.max(0, Math.min(rows - 1, spot.row + move[0])), bucket: Math.max(0, Math.min(buckets - 1, spot.bucket + move[1]))});
  } else if (event.key === "+" || event.key === "=") { zoom(1 / 1.5, cursor); }
  else if (event.key === "-") { zoom(1.5, cursor); }
  else if (event.key === "0" || event.key === "Home") { show_all(); }
  else if (event.key === "s" || event.key === "S") { set_sort(order === orders.group ? "trouble" : "group"); }
  else { return; }
  event.preventDefault();
});
$("in").onclick = () => zoom(1 / 1.5, cursor);
$("out").onclick = () => zoom(1.5, cursor);
$("all").onclick = show_all;
$("sort").onchange = event => set_sort(event.target.value);
$("theme").onclick = () => set_theme(!document.documentElement.classList.contains("dark"));
window.addEventListener("resize", draw);

function table(title, headings, lines, open) {
  if (!lines.length) return;
  add($("tables"), "h2", title);
  const place = add($("tables"), "div", undefined, "scroll"), made = add(place, "table"), head = add(add(made, "thead"), "tr");
  headings.forEach(heading => add(head, "th", heading.replace(/^#/, ""), heading.startsWith("#") ? "n" : "").scope = "col");
  const body = add(made, "tbody");
  for (const line of lines) {
    const row = add(body, "tr");
    line.forEach((cell, i) => {
      const place = add(row, "td", typeof cell === "object" ? undefined : cell, headings[i].startsWith("#") ? "n" : "");
      if (typeof cell !== "object") return;
      if (cell.at === undefined) { add(place, "span", cell.text, cell.kind); return; }
      const button = add(place, "button", cell.text, "link");
      button.onclick = () => show_event(cell.at, cell.service);
    });
  }
}
const percent = ppm => (ppm / 1e4).toFixed(4).replace(/\.?0+$/, "") + " %";
const moment = (at, service) => at === null || at === undefined ? "" : {text: human(at), at, service};
const judged = verdict => ({text: verdict, kind: verdict === "held" ? "good" : verdict === "violated" ? "bad" : "soft"});

$("verdict").textContent = report.verdict.replace(/_/g, " ");
$("verdict").classList.add(report.verdict === "held" ? "good" : "bad");
$("facts").textContent = count(report.fleet.services) + (report.fleet.services === 1 ? " service, " : " services, ") +
    human(report.virtual_time_ns) + " of virtual time, seed " + data.seed;
$("why").textContent = report.why;
map.setAttribute("aria-label", "The state of " + rows + " services over " + human(length));
for (const [value, says] of [
    [percent(report.fleet.availability.ppm), "available, with the supervisor's waiting"],
    [percent(report.fleet.availability.ideal_ppm), "at best, without any waiting"],
    [count(report.lost.count), "services lost"], [count(report.fleet.restarts), "restarts"],
    [count(report.storms.busiest_second.restarts), "restarts in the worst second"],
    [report.recoveries.after_outages.count ? human(report.recoveries.after_outages.percentile_99_ns) :
     report.recoveries.after_failures.count ? human(report.recoveries.after_failures.percentile_99_ns) : "–",
     report.recoveries.after_outages.count || !report.recoveries.after_failures.count ? "99 % recover from an outage within" :
     "99 % recover from a failure within"]]) {
  const card = add($("cards"), "div", undefined, "card");
  add(card, "b", value); add(card, "span", says);
}
STATES.forEach((state, i) => {
  if (i === 0) return;
  const entry = add($("legend"), "li");
  add(entry, "i").style.background = "var(--" + state + ")";
  entry.append(WORDS[i]);
});
add(add($("legend"), "li"), "i", undefined, "fault").parentElement.append("in a fault");

table("Violations", ["rule", "service", "#at", "what"], report.violations.map(v => [v.rule, v.service, moment(v.at_ns, v.service), v.says]));
table("Expectations", ["what", "expected", "found", "#decided at", "verdict"],
      report.expectations.map(e => [e.what, e.expected, e.found, moment(e.at_ns, e.services[0]), judged(e.verdict)]));
for (const why of data.why) {
  const chain = why.chain.map(l => [moment(l.at_ns, l.service), (l.folded ? "… " : "") + l.says]);
  table("Why " + why.what + (why.service ? ": " + why.service : ""), ["#at", "what happened"],
        why.afterwards ? [...chain, ["", why.afterwards]] : chain);
}
table("Groups", ["group", "#services", "#available", "#starts", "#failures", "#lost"], report.groups.map(g => [g.name, count(g.services),
      percent(g.availability.ppm), count(g.starts), count(g.failures),
      count(g.terminated.circuit_open + g.terminated.failed + g.terminated.abandoned)]));
table("First services lost", ["service", "#at", "why"], report.lost.first_services.map(l => [l.service, moment(l.at_ns, l.service), l.why]));
table("Slowest recoveries", ["service", "after", "#from", "#took"],
      report.recoveries.slowest.map(s => [s.service, s.after, moment(s.from_ns, s.service), human(s.took_ns)]));
table("Faults", ["fault", "#from", "#for", "#services"], data.faults.slice(0, 50).map(([kind, from, until, services]) =>
      [kind, moment(from), until > length * 4 ? "ever" : human(until - from), count(services)]));
table("Rules of the supervisor", ["rule", "#tested", "#violated", "verdict"],
      report.checks.map(c => [c.rule, count(c.tested), count(c.violated), judged(c.verdict)]));
table("Warnings", ["about", "warning"], [...report.warnings.map(w => [w.key, w.says]), ...report.supervisor_warnings.map(w => [w.field, w.says]),
      ...report.verdict_warnings.map(w => ["verdict", w])]);
add($("tables"), "p", "digest " + report.digest, "digest soft");
set_theme(window.matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset.ready = "true";
</script>
</body>
</html>
)page";

}  // namespace holdfast::sim::detail
