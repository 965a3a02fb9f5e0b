//! The page of the set-up: the steps, and the form of the one that is open.

use clarity_domain::view::set_up::{SetUp, SetUpStep};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Dismiss, InviteColleague, SetPlace, SetSite, Skip},
    colleagues::Colleagues,
    model,
    place::PlaceForm,
    site::SiteForm,
    source::Source,
};
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        icon::Symbol,
        note::EmptyNote,
        steps::StepLinks,
    },
};

/// The forms of the page. It reads again when one of them did what it was sent for; of one that was refused, what was typed
/// stays.
#[derive(Clone, Copy)]
pub struct Forms {
    pub place: ServerAction<SetPlace>,
    pub site: ServerAction<SetSite>,
    pub invite: ServerAction<InviteColleague>,
    pub skip: ServerAction<Skip>,
    pub dismiss: ServerAction<Dismiss>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self {
            place: ServerAction::new(),
            site: ServerAction::new(),
            invite: ServerAction::new(),
            skip: ServerAction::new(),
            dismiss: ServerAction::new(),
        }
    }

    /// Changes when the page has to be read again.
    pub fn sent(self) -> Memo<usize> {
        let all = [
            count(Signal::derive(move || self.place.value().with(|value| matches!(value, Some(Ok(())))))),
            count(Signal::derive(move || self.site.value().with(|value| matches!(value, Some(Ok(())))))),
            count(Signal::derive(move || self.invite.value().with(|value| matches!(value, Some(Ok(())))))),
            count(Signal::derive(move || self.skip.value().with(|value| matches!(value, Some(Ok(())))))),
            count(Signal::derive(move || self.dismiss.value().with(|value| matches!(value, Some(Ok(())))))),
        ];
        Memo::new(move |_| all.iter().map(|done| done.get()).sum())
    }
}

/// How often a form was answered with yes: it is asked anew with each answer.
fn count(done: Signal<bool>) -> Memo<usize> {
    Memo::new(move |before: Option<&usize>| before.copied().unwrap_or_default() + usize::from(done.get()))
}

#[component]
pub fn SetUpContent(
    slug: String,
    /// As the URL asks for; without one, the first that is open.
    step: Option<SetUpStep>,
    page: SetUp,
    forms: Forms,
) -> impl IntoView {
    let at = step.or_else(|| page.next());
    let links = model::links(&slug, &page, at);
    let lead = format!("{}: each step can be skipped, and done at any later time", page.name);
    let reminds = page.reminds && page.next().is_some();
    let failed =
        move || [forms.skip.value().get().and_then(Result::err), forms.dismiss.value().get().and_then(Result::err)];
    let overview = paths::workspace(&slug);
    let (own, to_overview) = (slug.clone(), overview.clone());
    let dismiss = reminds.then(move || {
        view! {
            <ActionForm action=forms.dismiss>
                <input type="hidden" name="slug" value=own/>
                <Button submit=true kind=Kind::Quiet disabled=Signal::derive(move || forms.dismiss.pending().get())>"Do not remind me on the Overview"</Button>
            </ActionForm>
        }
    });
    let body = match at {
        Some(SetUpStep::Place) => view! { <PlaceForm slug page forms/> }.into_any(),
        Some(SetUpStep::Site) => view! { <SiteForm slug page forms/> }.into_any(),
        Some(SetUpStep::Colleagues) => view! { <Colleagues slug page forms/> }.into_any(),
        Some(SetUpStep::Source) => view! { <Source slug forms/> }.into_any(),
        None => view! {
            <div class="cs-card">
                <EmptyNote symbol=Symbol::Check title="The set-up is over" message="What you skipped waits on the left; nothing else waits for it.">
                    <LinkButton href=to_overview kind=Kind::Primary>"Open the overview"</LinkButton>
                </EmptyNote>
            </div>
        }
        .into_any(),
    };
    view! {
        <Page crumbs=vec![Crumb::here("Set-up")]>
            <div class="cs-head"><div class="cs-head__text"><h1>"Set up your workspace"</h1><p>{lead}</p></div></div>
            <div class="cs-pair">
                <StepLinks label="Steps of the set-up" steps=links/>
                <div class="cs-stack">
                    {move || failed().into_iter().flatten().map(|error| view! { <Refused error/> }).collect_view()}
                    {body}
                    <div class="cs-row cs-set-up__foot">
                        <a class="cs-link" href=overview>"Go to the overview"</a>
                        {dismiss}
                    </div>
                </div>
            </div>
        </Page>
    }
}
