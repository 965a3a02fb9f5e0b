//! The chart's option, built with charming: axes, tooltip, and how a line is drawn.
//!
//! It is the same for every chart, so the server builds it once and writes it into the page; the bundle lays names,
//! values and the tokens' colours over it. The WASM carries no chart library.

use charming::{
    Chart,
    component::{Axis, Grid},
    element::{AxisType, LineStyle, Tooltip, Trigger},
    series::Line,
};

/// The id of the element that holds the option as JSON.
pub const ELEMENT: &str = "cs-chart-option";

/// One series stands for all.
pub fn option() -> Chart {
    Chart::new()
        .grid(Grid::new().left(40).right(8).top(12).bottom(26))
        .tooltip(Tooltip::new().trigger(Trigger::Axis))
        .x_axis(Axis::new().type_(AxisType::Time))
        .y_axis(Axis::new().type_(AxisType::Value).scale(true).split_number(4))
        .series(Line::new().show_symbol(false).connect_nulls(false).line_style(LineStyle::new().width(1.5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_gaps_and_symbols_wait_for_the_pointer() {
        let json = serde_json::to_value(option()).unwrap();
        assert_eq!(json["series"][0]["connectNulls"], false);
        assert_eq!(json["series"][0]["showSymbol"], false);
        assert_eq!(json["xAxis"]["type"], "time");
        assert!(!json.to_string().contains('<'), "it stands inside a script element");
    }
}
