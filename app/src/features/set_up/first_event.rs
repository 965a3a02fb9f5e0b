//! The Overview of a workspace without a machine: what it waits for and what to do, live; and below, while nothing at all has
//! come, recorded data of other machines.

use clarity_domain::view::{
    overview::{Overview, OverviewQuery},
    set_up::Waiting,
};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::ShowSample,
    model::{self, Way},
    sample::Sample,
};
use crate::{
    features::{
        live::{self, LiveBadge},
        overview::SetUpNote,
    },
    layout::page::{Crumb, Page},
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        copy::CopyCode,
        icon::Symbol,
        note::EmptyNote,
        time::{Detail, Time},
    },
};

/// The id by which the browser knows that the page needs more than an Overview's own code.
pub const FIRST_EVENT: &str = "first-event";

/// What the page is made of. It stands in the context: the code is cut between who gives it and who draws it.
#[derive(Clone)]
pub struct FirstEvent {
    pub slug: String,
    pub overview: Overview,
    /// Reads the page again, when there is a machine.
    pub refresh: Callback<()>,
}

#[component]
pub fn FirstEventContent(page: FirstEvent) -> impl IntoView {
    let FirstEvent { slug, overview, refresh } = page;
    let url = paths::live_overview(&slug, &OverviewQuery::default(), overview.as_of);
    let set_up = overview.set_up.map(|over| view! { <SetUpNote slug=slug.clone() over/> });
    let Overview { freshness, waiting, sample, .. } = overview;
    let freshness = RwSignal::new(freshness);
    let waiting = RwSignal::new(waiting);
    let asked = StoredValue::new(false);
    let link = live::follow(url, "overview", move |update| {
        // Once: an answer on its way is not asked for again.
        if model::is_over(&update) && asked.try_get_value() == Some(false) {
            asked.set_value(true);
            refresh.run(());
        }
        if let Some(new) = update.freshness {
            freshness.try_set(new);
        }
        if let Some(new) = update.waiting {
            waiting.try_set(Some(new));
        }
    });
    let badge = view! { <LiveBadge freshness link/> }.into_any();
    // Until something of the workspace's own comes.
    let bare = Memo::new(move |_| waiting.with(|waiting| waiting.as_ref().is_some_and(|w| !w.cause.has_events())));
    let may = Memo::new(move |_| waiting.with(|waiting| waiting.as_ref().is_some_and(|w| w.may_set_up)));
    // Drawn again, and read out, when it differs alone.
    let shown = Memo::new(move |_| waiting.get());
    let cause = {
        let slug = slug.clone();
        move || shown.get().map(|waiting| view! { <Cause slug=slug.clone() waiting=*waiting/> })
    };
    let hidden = sample.is_none();
    let sample = sample.map(|sample| *sample);
    let action = ServerAction::<ShowSample>::new();
    // The switch leads here again, and the page is read anew.
    let switched = Memo::new(move |_| action.value().with(|value| matches!(value, Some(Ok(())))));
    Effect::new(move |_| {
        if switched.get() {
            refresh.run(());
        }
    });
    let switch = {
        let slug = slug.clone();
        move || may.get().then(|| view! { <SampleSwitch slug=slug.clone() show=hidden action/> })
    };
    let below = move || {
        bare.get().then(|| {
            let (slug, switch) = (slug.clone(), switch.clone());
            match sample.clone() {
                Some(sample) => view! { <Sample slug sample>{switch.into_any()}</Sample> }.into_any(),
                None => switch.into_any(),
            }
        })
    };
    view! {
        <Page crumbs=vec![Crumb::here("Overview")] badge>
            <div class="cs-head"><div class="cs-head__text"><h1>"Overview"</h1><p>"No data yet"</p></div></div>
            {set_up}
            <div class="cs-stack" id=FIRST_EVENT>
                <div class="cs-card" aria-live="polite">{cause}</div>
                {below}
            </div>
        </Page>
    }
}

/// What is missing, and the way on.
#[component]
fn Cause(slug: String, waiting: Waiting) -> impl IntoView {
    let help = model::help(&waiting);
    let (symbol, kind) = match help.way {
        Way::Connect => (Symbol::Plug, Kind::Primary),
        Way::Source => (Symbol::Clock, Kind::Plain),
        Way::DeadLetters => (Symbol::Inbox, Kind::Plain),
    };
    let href = match (help.way, &waiting.source) {
        (Way::Connect, _) => paths::connect(&slug),
        (Way::DeadLetters, _) => paths::dead_letters(&slug),
        (Way::Source, Some((id, _))) => paths::source(&slug, *id),
        (Way::Source, None) => paths::sources(&slug),
    };
    // Dead letters are not everybody's to read.
    let leads = waiting.may_set_up || !matches!(help.way, Way::DeadLetters);
    let link = leads.then(|| view! { <LinkButton href kind>{help.act}</LinkButton> });
    let since = waiting
        .since
        .map(|at| view! { <p class="cs-quiet cs-set-up__since">"since " <Time at=Some(at) detail=Detail::Day/></p> });
    let problems = waiting
        .problems
        .into_iter()
        .map(|problem| {
            view! {
                <article class="cs-problem">
                    <b>{problem.message}</b>
                    {problem.fix.map(|fix| view! { <p class="cs-quiet">{fix}</p> })}
                    {problem.sql.map(|sql| view! { <CopyCode code=sql what="the statements"/> })}
                </article>
            }
        })
        .collect_view();
    view! {
        <EmptyNote symbol title=help.title message=help.message>
            {link}
        </EmptyNote>
        {since}
        {problems}
    }
}

/// Hides the sample data for the whole workspace, or shows it again.
#[component]
fn SampleSwitch(slug: String, show: bool, action: ServerAction<ShowSample>) -> impl IntoView {
    view! {
        <ActionForm action=action>
            <input type="hidden" name="slug" value=slug/>
            <input type="hidden" name="show" value=show.to_string()/>
            <Button submit=true kind=Kind::Quiet disabled=Signal::derive(move || action.pending().get())>
                {if show { "Show sample data" } else { "Hide the sample data" }}
            </Button>
        </ActionForm>
    }
}
