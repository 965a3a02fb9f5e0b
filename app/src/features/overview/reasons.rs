//! Downtime in the range by reason.

use clarity_domain::{
    time::{MINUTE, Micros},
    truth::duration,
    view::overview::Overview,
};
use leptos::prelude::*;

use super::model;
use crate::ui::{card::Card, icon::Symbol, note::EmptyNote, number};

/// Reasons drawn; the rest is summed up in words.
const SHOWN: usize = 7;

#[component]
pub fn Reasons(state: RwSignal<Overview>) -> impl IntoView {
    let reasons = Memo::new(move |_| state.with(model::downtime_by_reason));
    let empty = Memo::new(move |_| reasons.with(Vec::is_empty));
    let rows = move || {
        reasons.with(|reasons| {
            let most = reasons.first().map_or(1, |(_, lasted)| *lasted).max(1);
            reasons
                .iter()
                .take(SHOWN)
                .map(|(reason, lasted)| {
                    let width = *lasted as f64 / most as f64 * 100.0;
                    view! {
                        <tr>
                            <th scope="row">{reason.clone()}</th>
                            <td class="cs-bars__cell"><i class="cs-bars__bar" style=format!("--width:{width:.1}%")></i></td>
                            <td data-align="end">{lasting(*lasted)}</td>
                        </tr>
                    }
                })
                .collect_view()
        })
    };
    // The timeline has the machines of this page.
    let remark = Signal::derive(move || {
        let (known, all) = state.with(|overview| (overview.timeline.len(), overview.assets_total as usize));
        if known < all { format!("{known} of {all} machines") } else { "this range".into() }
    });
    let rest = move || {
        let rest = reasons.with(Vec::len).saturating_sub(SHOWN);
        (rest > 0).then(|| view! { <p class="cs-kpi__note">{format!("and {rest} more reasons")}</p> })
    };
    view! {
        <Card title="Downtime by reason" remark span=4>
            {move || {
                if empty.get() {
                    view! { <EmptyNote symbol=Symbol::Check title="No downtime" message="No machine shown here was down in this range."/> }.into_any()
                } else {
                    view! {
                        <table class="cs-table cs-bars">
                            <caption class="cs-visually-hidden">"Downtime by reason"</caption>
                            <tbody>{rows}</tbody>
                        </table>
                        {rest}
                    }
                        .into_any()
                }
            }}
        </Card>
    }
}

/// Whole minutes from one minute on, so that what is compared has one unit.
fn lasting(micros: Micros) -> String {
    if micros < MINUTE { duration(micros) } else { format!("{} min", number::whole((micros / MINUTE) as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_has_one_unit() {
        assert_eq!(lasting(59 * MINUTE / 60), "59 s");
        assert_eq!(lasting(MINUTE), "1 min");
        assert_eq!(lasting(125 * MINUTE + 1), "125 min");
    }
}
