// The part of ECharts that the product draws with, tree-shaken by `cargo xtask build` and loaded on first use:
// `await import(assets["charts.js"])`. A new kind of chart or component is a line in the list below; the build prints
// what the bundle then weighs. We draw our own legend.
import { init, use } from "echarts/core";
import { LineChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ToolboxComponent,
  TooltipComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

use([
  LineChart,
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ToolboxComponent, // brush to zoom: its select-zoom cursor
  TooltipComponent,
  CanvasRenderer,
]);

// charming's renderer looks for the global.
globalThis.echarts = { init };

export { init };
