//! The figures on top: only what is truly known.

use clarity_domain::view::overview::{Kpis, Overview};
use leptos::prelude::*;

use crate::ui::{kpi::Kpi, number, sparkline::Sparkline};

#[component]
pub fn Figures(state: RwSignal<Overview>) -> impl IntoView {
    let kpis = Memo::new(move |_| state.with(|overview| overview.kpis.clone()));
    let figure = move |read: fn(&Kpis) -> Option<String>| Signal::derive(move || kpis.with(read));
    let text = move |read: fn(&Kpis) -> String| Signal::derive(move || kpis.with(read));
    let minutes = Memo::new(move |_| kpis.with(|kpis| kpis.events_per_minute.clone()));
    view! {
        <Kpi
            name="Machines running"
            value=figure(|kpis| (kpis.machines_total > 0).then(|| number::whole(kpis.machines_running.into())))
            unit=text(|kpis| format!("of {}", number::whole(kpis.machines_total.into())))
            remark="by their own state"
        />
        <Kpi
            name="Availability"
            value=figure(|kpis| kpis.availability_today.map(number::percent))
            unit="%"
            remark="today, planned stops left out"
        />
        <Kpi
            name="Downtime"
            value=figure(|kpis| kpis.downtime_today_s.map(|s| number::whole(u64::try_from(s / 60).unwrap_or(0))))
            unit="min"
            remark="today, all machines together"
        />
        <Kpi
            name="Events"
            value=figure(|kpis| kpis.events_per_s.map(number::rate))
            unit="per second"
            remark=text(|kpis| {
                kpis.data_age_ms
                    .map(|age| {
                        let (age, unit) = number::lag(age);
                        format!("newest data {age} {unit} old")
                    })
                    .unwrap_or_default()
            })
        >
            <Sparkline values=minutes label="Events per minute, last hour" filled=true/>
        </Kpi>
    }
}
