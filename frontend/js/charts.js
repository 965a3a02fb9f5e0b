// The chart bundle: ECharts with only the parts in use, one theme made from the tokens, drag to zoom. Bundled by
// `cargo xtask build`, where `build.mjs` also takes out what ECharts' core brings unasked; loaded lazily by
// `app/src/ui/time_chart`: no page waits for it.
//
// The option comes from Rust (built with charming, without data and without colours) and stands in the page; values come
// as one flat Float64Array, series after series, NaN where there is a gap.
import { LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

const COLOURS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
/** Marks of the time axis, all alike: none is bold. */
const TIMES = {
  year: "{yyyy}",
  month: "{MMM} {yyyy}",
  day: "{d} {MMM}",
  hour: "{HH}:{mm}",
  minute: "{HH}:{mm}",
  second: "{HH}:{mm}:{ss}",
  millisecond: "{HH}:{mm}:{ss}",
};
const SHORTEST_DRAG_PX = 8;

function tokens() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

/** Colours and type from the tokens, laid over an option. */
function themed(option) {
  const token = tokens();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const axis = (own, kind) => ({
    ...own,
    axisLine: { show: kind === "x", lineStyle: { color: token("--line") } },
    axisTick: { show: false },
    axisLabel: { color: token("--ink-3"), fontSize: 10.5, hideOverlap: true, ...(kind === "x" && { formatter: TIMES }), ...own.axisLabel },
    splitLine: { show: kind === "y", lineStyle: { color: token("--line") } },
    axisPointer: { lineStyle: { color: token("--line-strong"), type: "solid" }, label: { show: false } },
  });
  return {
    ...option,
    animation: !still,
    animationDuration: 0,
    animationDurationUpdate: 140,
    color: COLOURS.map(token),
    textStyle: { fontFamily: token("--font-ui"), color: token("--ink-2") },
    tooltip: {
      ...option.tooltip,
      order: "valueDesc",
      backgroundColor: token("--surface"),
      borderColor: token("--line"),
      textStyle: { color: token("--ink"), fontSize: 12, fontFamily: token("--font-ui") },
    },
    xAxis: [option.xAxis].flat().map((own) => axis(own, "x")),
    yAxis: [option.yAxis].flat().map((own) => axis(own, "y")),
  };
}

/** As the kit writes numbers: digits by size, a thin space in thousands. */
function number(value) {
  const size = Math.abs(value);
  const [whole, rest] = value.toFixed(size >= 9999.5 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u2009").replace("-", "\u2212");
  return rest ? `${grouped}.${rest}` : grouped;
}

const two = (n) => String(n).padStart(2, "0");

function clock(at, seconds) {
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** All series at that time, highest first. */
function tooltip(unit, stepMs) {
  return (points) => {
    const known = points.filter((p) => Number.isFinite(p.value[1])).sort((a, b) => b.value[1] - a.value[1]);
    if (!known.length) return "";
    const small = unit ? `<small> ${escaped(unit)}</small>` : "";
    const rows = known.map(
      (p) => `<tr><th scope="row">${p.marker}${escaped(p.seriesName)}</th><td>${number(p.value[1])}${small}</td></tr>`,
    );
    const at = new Date(known[0].value[0]);
    const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return `<div class="cs-chart__tip"><b>${day} ${clock(at, stepMs < 60000)}</b><table>${rows.join("")}</table></div>`;
  };
}

/** Drag over the plot to choose a time range. */
function zoomable(el, chart, onZoom) {
  const mark = el.appendChild(document.createElement("div"));
  mark.className = "cs-chart__brush";
  mark.hidden = true;
  let start = null;
  const at = (event) => event.clientX - el.getBoundingClientRect().left;
  const draw = (x) => {
    mark.style.setProperty("--from", `${Math.min(start, x)}px`);
    mark.style.setProperty("--width", `${Math.abs(x - start)}px`);
    mark.hidden = Math.abs(x - start) < SHORTEST_DRAG_PX;
  };
  const stop = () => {
    start = null;
    mark.hidden = true;
  };
  const down = (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const y = event.clientY - el.getBoundingClientRect().top;
    if (chart.containPixel("grid", [at(event), y])) start = at(event);
  };
  const move = (event) => start !== null && draw(at(event));
  const up = (event) => {
    if (start === null) return;
    const [a, b] = [start, at(event)].sort((x, y) => x - y);
    stop();
    if (b - a < SHORTEST_DRAG_PX) return;
    const time = (x) => chart.convertFromPixel({ xAxisIndex: 0 }, x);
    onZoom(time(a), time(b));
  };
  const key = (event) => event.key === "Escape" && stop();
  el.addEventListener("pointerdown", down);
  const global = { pointermove: move, pointerup: up, keydown: key };
  for (const [name, handler] of Object.entries(global)) window.addEventListener(name, handler);
  return () => {
    el.removeEventListener("pointerdown", down);
    for (const [name, handler] of Object.entries(global)) window.removeEventListener(name, handler);
    mark.remove();
  };
}

/** Puts a chart into `el`; the handle is disposed with its page. */
export function create(el, onZoom) {
  const chart = init(el, null, { renderer: "canvas" });
  const unzoom = zoomable(el, chart, onZoom);
  const resize = new ResizeObserver(() => chart.resize());
  resize.observe(el);
  let option = null;
  let unit = "";
  let values = null;

  const data = () => {
    if (!values || !option) return;
    const { from, step, count, flat } = values;
    const series = (option.series ?? []).map((_, s) => ({
      data: Array.from({ length: count }, (_, i) => {
        const value = flat[s * count + i];
        return [from + i * step, Number.isNaN(value) ? null : value];
      }),
    }));
    chart.setOption({ series, tooltip: { formatter: tooltip(unit, step) } }, { lazyUpdate: true });
  };
  const draw = () => {
    if (!option) return;
    chart.setOption(themed(option), { notMerge: true });
    data();
  };
  const theme = new MutationObserver(draw);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });

  return {
    frame(names, newUnit) {
      const base = JSON.parse(document.getElementById("cs-chart-option").textContent);
      option = { ...base, series: names.map((name) => ({ ...base.series[0], name })) };
      unit = newUnit;
      draw();
    },
    data(from, step, count, flat) {
      values = { from, step, count, flat };
      data();
    },
    dispose() {
      theme.disconnect();
      resize.disconnect();
      unzoom();
      chart.dispose();
    },
  };
}
