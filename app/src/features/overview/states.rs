//! Machine states over the range.

use clarity_domain::view::overview::Overview;
use leptos::prelude::*;

use super::model;
use crate::ui::{card::Card, icon::Symbol, legend::StateLegend, note::EmptyNote, timeline::Timeline};

#[component]
pub fn States(state: RwSignal<Overview>) -> impl IntoView {
    let rows = Memo::new(move |_| state.with(model::timeline_rows));
    let empty = Memo::new(move |_| rows.with(Vec::is_empty));
    let range = Memo::new(move |_| state.with(|overview| (overview.from, overview.to)));
    let remark = Signal::derive(move || {
        let (drawn, all) = (rows.with(Vec::len), state.with(|overview| overview.assets_total as usize));
        if drawn < all { format!("{drawn} of {all} machines") } else { String::new() }
    });
    let aside = view! {
        <StateLegend states=vec![("running", "Running"), ("set_up", "Set-up"), ("idle", "Idle"), ("down", "Down"), ("planned", "Planned stop")]/>
    }
    .into_any();
    view! {
        <Card title="Machine states" remark aside>
            {move || {
                if empty.get() {
                    view! { <EmptyNote symbol=Symbol::Machine title="No states yet" message="None of the connected streams is mapped as machine states."/> }.into_any()
                } else {
                    view! { <div class="cs-overview__states" tabindex="0" role="region" aria-label="Machine states"><Timeline rows range/></div> }.into_any()
                }
            }}
        </Card>
    }
}
