//! The list of sessions, each with the button that ends it.

use clarity_domain::view::session::{OpenSession, OpenSessions};
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{ChangePassword, End, EndOthers},
    password::PasswordCard,
};
use crate::{
    features::email_change::{EmailCard, Forms as EmailForms},
    layout::{
        page::{Crumb, Page},
        refused::Refused,
    },
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        pill::{Pill, Tone},
        table::{Column, Table},
        time::{Ago, Detail, Time},
    },
};

#[component]
pub fn SessionsContent(
    slug: String,
    open: OpenSessions,
    end: ServerAction<End>,
    end_others: ServerAction<EndOthers>,
    change_password: ServerAction<ChangePassword>,
    /// A moment ago.
    changed: Signal<bool>,
    email_forms: EmailForms,
    /// A moment ago.
    email_changed: Signal<bool>,
) -> impl IntoView {
    let base = open.as_of;
    let email = view! { <EmailCard slug=slug.clone() own=open.email forms=email_forms changed=email_changed/> };
    let password = view! { <PasswordCard slug=slug.clone() change=change_password changed/> };
    let (tone, state, way) =
        if open.second_factor { (Tone::Ok, "On", "Manage it") } else { (Tone::Idle, "Off", "Add one") };
    let second_factor = paths::second_factor(Some(&paths::sessions(&slug)));
    let others = open.sessions.iter().filter(|session| !session.current).count();
    let failed =
        move || end.value().get().and_then(Result::err).or_else(|| end_others.value().get().and_then(Result::err));
    let columns = ["Browser", "Address", "Signed in", "Last used", "Ends", ""].map(Column::new).to_vec();
    let rows =
        open.sessions.into_iter().map(|session| view! { <Row slug=slug.clone() session base end/> }).collect_view();
    view! {
        <Page crumbs=vec![Crumb::here("Your sessions")]>
            <div class="cs-head">
                <div class="cs-head__text">
                    <h1>"Your sessions"</h1>
                    <p>"Where you are signed in. End one that you do not know."</p>
                </div>
                <LinkButton kind=Kind::Quiet href=paths::members(&slug)>"Your membership"</LinkButton>
                {(others > 0).then(|| view! {
                    <ActionForm action=end_others>
                        <input type="hidden" name="slug" value=slug.clone()/>
                        <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || end_others.pending().get())>"End all others"</Button>
                    </ActionForm>
                })}
            </div>
            {move || failed().map(|error| view! { <Refused error/> })}
            <div class="cs-stack">
                <Card title="Signed in">
                    <Table caption="Your sessions" columns>{rows}</Table>
                </Card>
                <Card title="Second factor" aside=view! { <Pill tone text=state/> }.into_any()>
                    <div class="cs-stack">
                        <p class="cs-quiet">"A passkey, or a code of an app, beside your password, in all your workspaces."</p>
                        <div><LinkButton href=second_factor>{way}</LinkButton></div>
                    </div>
                </Card>
                {email}
                {password}
            </div>
        </Page>
    }
}

#[component]
fn Row(slug: String, session: OpenSession, base: i64, end: ServerAction<End>) -> impl IntoView {
    let act = if session.current {
        view! { <Pill tone=Tone::Ok text="This one"/> }.into_any()
    } else {
        let label = format!("End the session of {} at {}", session.device, session.address);
        view! {
            <ActionForm action=end>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="id" value=session.id.to_string()/>
                <Button submit=true attr:aria-label=label disabled=Signal::derive(move || end.pending().get())>"End"</Button>
            </ActionForm>
        }
            .into_any()
    };
    view! {
        <tr>
            <th scope="row">{session.device}{session.by_sso.then(|| view! { <small>"by single sign-on"</small> })}</th>
            <td data-label="Address">{session.address}</td>
            <td data-label="Signed in"><Time at=Some(session.signed_in_at) detail=Detail::Day/></td>
            <td data-label="Last used"><Ago at=Some(session.seen_at) base/></td>
            <td data-label="Ends"><Time at=Some(session.ends_at) detail=Detail::Day/></td>
            <td data-align="end" data-beside="">{act}</td>
        </tr>
    }
}
