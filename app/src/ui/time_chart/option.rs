//! The chart's option, built with charming: axes, tooltip, lines. Colours and values are laid over it by the bundle.

use charming::{
    Chart,
    component::{Axis, Grid},
    element::{AxisType, LineStyle, Tooltip, Trigger},
    series,
};

use super::Lines;

#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code, reason = "only the browser draws charts"))]
pub fn option(lines: &Lines) -> Chart {
    let chart = Chart::new()
        .grid(Grid::new().left(40).right(8).top(12).bottom(26))
        .tooltip(Tooltip::new().trigger(Trigger::Axis))
        .x_axis(Axis::new().type_(AxisType::Time))
        .y_axis(Axis::new().type_(AxisType::Value).scale(true).split_number(4));
    lines.series.iter().fold(chart, |chart, line| {
        chart.series(
            series::Line::new()
                .name(line.name.as_str())
                .show_symbol(false)
                .connect_nulls(false)
                .line_style(LineStyle::new().width(1.5)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::time_chart::Line;

    #[test]
    fn gaps_stay_gaps_and_symbols_wait_for_the_pointer() {
        let lines = Lines { series: vec![Line { name: "CNC-04".into(), values: vec![] }], ..Lines::default() };
        let json = serde_json::to_value(option(&lines)).unwrap();
        assert_eq!(json["series"][0]["connectNulls"], false);
        assert_eq!(json["series"][0]["showSymbol"], false);
        assert_eq!(json["series"][0]["name"], "CNC-04");
        assert_eq!(json["xAxis"]["type"], "time");
    }
}
