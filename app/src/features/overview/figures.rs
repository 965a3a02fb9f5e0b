//! The figures on top: only what is truly known.

use clarity_domain::view::overview::{Kpis, Overview};
use leptos::prelude::*;

use crate::ui::{kpi::Kpi, number, sparkline::Sparkline};

#[component]
pub fn Figures(state: RwSignal<Overview>) -> impl IntoView {
    let kpis = Memo::new(move |_| state.with(|overview| overview.kpis.clone()));
    let figure = move |read: fn(&Kpis) -> Option<String>| Signal::derive(move || kpis.with(read));
    let text = move |read: fn(&Kpis) -> String| Signal::derive(move || kpis.with(read));
    // Whether a card has a line is settled when the page is read: live updates move it and never change a card's height.
    let line = move |label: &'static str, tone: &'static str, near: bool, read: fn(&Kpis) -> Vec<Option<f64>>| {
        let known = kpis.with_untracked(|kpis| read(kpis).iter().flatten().count() >= 2);
        let values = Signal::derive(move || kpis.with(read));
        known.then(|| view! { <Sparkline values label tone near filled=true/> }.into_any())
    };
    view! {
        <Kpi
            name="Machines running"
            value=figure(|kpis| (kpis.machines_total > 0).then(|| number::whole(kpis.machines_running.into())))
            unit=text(|kpis| format!("of {}", number::whole(kpis.machines_total.into())))
            remark="by their own state"
            line=line("Machines running, today", "1", true, |kpis| kpis.running_line.clone())
        />
        <Kpi
            name="Availability"
            value=figure(|kpis| kpis.availability_today.map(number::percent))
            unit="%"
            remark="today, planned stops left out"
            line=line("Availability in per cent, today", "2", true, |kpis| {
                kpis.availability_line.iter().map(|share| share.map(|share| share * 100.0)).collect()
            })
        />
        <Kpi
            name="Downtime"
            value=figure(|kpis| kpis.downtime_today_s.map(|s| number::whole(u64::try_from(s / 60).unwrap_or(0))))
            unit="min"
            remark="today, all machines together"
            line=line("Machines down, today", "3", false, |kpis| kpis.down_line.clone())
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
            line=line("Events per minute, last hour", "5", false, |kpis| {
                // From the first minute that is known: a young workspace has a line too.
                kpis.events_per_minute.iter().copied().skip_while(Option::is_none).collect()
            })
        />
    }
}
