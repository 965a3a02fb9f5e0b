//! One workspace: by name and counts, with the requests one has made, and while an owner lets one in what they let one see.

use clarity_domain::view::{
    Micros,
    support::{OpsLook, OpsRequest, OpsWorkspacePage, SupportState},
};
use leptos::prelude::*;

use super::{OpsFrame, api::AskSupport, ask::AskForm, look::Look};
use crate::{
    features::support::{state_tone, state_words},
    paths,
    ui::{
        card::Card,
        number,
        pill::Pill,
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

/// The form of the page. It reads again when a request was made.
#[derive(Clone, Copy)]
pub struct Forms {
    pub ask: ServerAction<AskSupport>,
}

impl Forms {
    pub fn unsent() -> Self {
        Self { ask: ServerAction::new() }
    }

    /// Changes when the page has to be read again; not for a request that was refused, so that what was typed stays.
    pub fn sent(self) -> Memo<usize> {
        Memo::new(move |before: Option<&usize>| {
            let done = self.ask.value().with(|value| matches!(value, Some(Ok(()))));
            before.copied().unwrap_or_default() + usize::from(done)
        })
    }
}

#[component]
pub fn WorkspaceContent(page: OpsWorkspacePage, look: Option<OpsLook>, forms: Forms) -> impl IntoView {
    let OpsWorkspacePage { as_of, person, workspace, requests, live } = page;
    let open = requests.iter().any(|request| request.state == SupportState::Open);
    let region = if workspace.region.is_empty() { String::new() } else { format!(", {}", workspace.region) };
    let counts = format!(
        "{}{region}, {} members, {} agents. Made ",
        workspace.slug,
        number::whole(workspace.members.into()),
        number::whole(workspace.agents.into())
    );
    let ask = (!live && !open).then(|| view! { <AskForm slug=workspace.slug.clone() ask=forms.ask/> });
    let look = look.map(|look| view! { <Look look/> });
    view! {
        <OpsFrame person=Some(person)>
            <p><a class="cs-link" href=paths::OPS>"All workspaces"</a></p>
            <div class="cs-head">
                <div class="cs-head__text"><h1>{workspace.name}</h1><p>{counts} <Time at=Some(workspace.created_at) detail=Detail::Day/></p></div>
            </div>
            <div class="cs-stack">
                {look}
                {ask}
                <Card title="Your requests" remark="an owner has a day to decide"><Requests requests base=as_of/></Card>
            </div>
        </OpsFrame>
    }
}

#[component]
fn Requests(requests: Vec<OpsRequest>, base: Micros) -> impl IntoView {
    if requests.is_empty() {
        return view! { <p class="cs-quiet">"You have asked for nothing here."</p> }.into_any();
    }
    let columns = ["Why", "Minutes", "Asked", "Outcome", "Until"].map(Column::new).to_vec();
    let rows = requests
        .into_iter()
        .map(|request| {
            let by = request.decided_by.map(|name| view! { <small class="cs-under">{format!("by {name}")}</small> });
            view! {
                <tr>
                    <th scope="row" class="cs-table__wrap">{request.reason}</th>
                    <td data-label="Minutes">{request.minutes}</td>
                    <td data-label="Asked"><Ago at=Some(request.requested_at) base/></td>
                    <td class="cs-table__wrap" data-label="Outcome"><Pill tone=state_tone(request.state) text=state_words(request.state)/>{by}</td>
                    <td data-label="Until"><Time at=request.ends_at detail=Detail::Day/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="Your requests" columns>{rows}</Table></div> }.into_any()
}
