//! The page's content: what goes, the export that comes first, and the form that asks for the end or takes it back.

use clarity_domain::view::deletion::{DeletionPage, KindThatGoes, PendingDeletion, wait_words};
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        field::Field,
        note::Banner,
        number,
        pill::Tone,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn DeletionContent(slug: String, page: DeletionPage, forms: Forms) -> impl IntoView {
    let DeletionPage { as_of: _, name, kinds, grace_s, pending, held, confirmed } = page;
    let failed = move || {
        let refused = forms.request.value().get().and_then(Result::err);
        let refused = refused.filter(|error| error.beside_fields(&["name"]).is_some());
        refused.or_else(|| forms.keep.value().get().and_then(Result::err))
    };
    let lead = format!("{name}: all that is in it goes {} after an owner asks for it", wait_words(grace_s));
    let lift = paths::retention(&slug);
    let end = match pending {
        Some(pending) => view! { <Asked slug=slug.clone() pending held forms/> }.into_any(),
        None if held => view! {
            <Banner tone=Tone::Warn>
                "A legal hold is open: this workspace cannot be deleted. "
                <a class="cs-link" href=lift>"Lift it first"</a>
            </Banner>
        }
        .into_any(),
        None => view! { <Ask slug=slug.clone() name grace_s confirmed forms/> }.into_any(),
    };
    view! {
        <Page crumbs=vec![Crumb::here("Delete workspace")]>
            <div class="cs-head">
                <div class="cs-head__text"><h1>"Delete workspace"</h1><p>{lead}</p></div>
            </div>
            <div class="cs-stack">
                {move || failed().map(|error| view! { <Refused error/> })}
                <Card title="What goes" remark="as it was last counted"><Kinds kinds/></Card>
                <Card title="Export first" remark="one file, a line of JSON each thing"><Export slug confirmed/></Card>
                <Card title="Delete" remark="by an owner, and taken back by any">{end}</Card>
            </div>
        </Page>
    }
}

#[component]
fn Kinds(kinds: Vec<KindThatGoes>) -> impl IntoView {
    let columns = vec![Column::new("Kind"), Column::end("Count"), Column::end("Size")];
    let rows = kinds
        .into_iter()
        .map(|kind| {
            let count = kind.count.map_or_else(|| "–".to_owned(), number::whole);
            let size = kind.bytes.map_or_else(String::new, |bytes| {
                let (size, unit) = number::bytes(bytes);
                format!("{size} {unit}")
            });
            view! {
                <tr>
                    <th scope="row">{kind.name}</th>
                    <td data-label="Count" data-align="end">{count}</td>
                    <td data-label="Size" data-align="end">{size}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <div class="cs-table-scroll"><Table caption="What the workspace has" columns>{rows}</Table></div> }
}

#[component]
fn Export(slug: String, confirmed: bool) -> impl IntoView {
    let way = if confirmed {
        let href = paths::export_file(&slug);
        view! { <LinkButton href attr:rel="external">"Export everything"</LinkButton> }.into_any()
    } else {
        let href = paths::confirm_then(&paths::deletion(&slug));
        view! { <LinkButton href>"Confirm that it is you to export"</LinkButton> }.into_any()
    };
    view! {
        <div class="cs-stack">
            <p>"Settings, members, sources, mappings, machines, the audit log, records, states, figures and every sample, and the events as they were received. The last line says that the file is whole."</p>
            <p class="cs-quiet">"Passwords, keys and tokens are not in it."</p>
            <div>{way}</div>
        </div>
    }
}

/// Asked for: until when it can be taken back.
#[component]
fn Asked(slug: String, pending: PendingDeletion, held: bool, forms: Forms) -> impl IntoView {
    let PendingDeletion { requested_by, requested_at, due_at } = pending;
    view! {
        <div class="cs-stack">
            <p>
                {requested_by} " asked for it on " <Time at=Some(requested_at) detail=Detail::Day/>
                ". The workspace goes on " <Time at=Some(due_at) detail=Detail::Exact/> "."
            </p>
            {held.then(|| view! { <Banner tone=Tone::Warn>"A legal hold is open: until it is lifted nothing goes, whatever the time."</Banner> })}
            <p class="cs-quiet">"Until then nothing changes: agents send, programs read, and members work. All owners were told by letter."</p>
            <ActionForm action=forms.keep>
                <input type="hidden" name="slug" value=slug/>
                <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || forms.keep.pending().get())>"Take it back"</Button>
            </ActionForm>
        </div>
    }
}

/// The form that asks for it.
#[component]
fn Ask(slug: String, name: String, grace_s: u64, confirmed: bool, forms: Forms) -> impl IntoView {
    let of_name = Signal::derive(move || {
        forms.request.value().get().and_then(Result::err).and_then(|error| error.of_field("name"))
    });
    let words = format!(
        "After {} the workspace and all that is in it are removed, and cannot be brought back. Until then any owner can take it back. Accounts of people stay.",
        wait_words(grace_s)
    );
    let form = if confirmed {
        view! {
            <ActionForm action=forms.request>
                <input type="hidden" name="slug" value=slug/>
                <div class="cs-stack cs-deletion__form">
                    <Field name="name" label=format!("Type the workspace's name: {name}") maxlength=120 autocomplete="off" error=of_name/>
                    <div><Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.request.pending().get())>"Delete this workspace"</Button></div>
                </div>
            </ActionForm>
        }
        .into_any()
    } else {
        let href = paths::confirm_then(&paths::deletion(&slug));
        view! { <div><LinkButton href>"Confirm that it is you to go on"</LinkButton></div> }.into_any()
    };
    view! {
        <div class="cs-stack">
            <p>{words}</p>
            {form}
        </div>
    }
}
