//! What the link shows, for each of those who may have opened it.

use clarity_domain::view::members::{InvitationCard, Invitee};
use leptos::{form::ActionForm, prelude::*};

use super::api::Accept;
use crate::{
    features::{
        members::{role_name, role_words},
        session::SignOutButton,
    },
    layout::auth::AuthLayout,
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        field::Field,
        note::Banner,
        pill::Tone,
        time::{Detail, Time},
    },
};

const FIELDS: [&str; 2] = ["name", "password"];

#[component]
pub fn InvitationContent(token: String, card: InvitationCard, accept: ServerAction<Accept>) -> impl IntoView {
    let InvitationCard { workspace, inviter, role, email, expires_at, visitor } = card;
    let lead = view! { {inviter} " invites " <b class="cs-invited__email">{email.clone()}</b> }.into_any();
    let way = match visitor {
        Invitee::You => view! { <Join token workspace=workspace.clone() accept/> }.into_any(),
        Invitee::NeedsAccount => view! { <MakeAccount token accept/> }.into_any(),
        Invitee::HasAccount => {
            let href = paths::sign_in_then(&paths::invitation(&token));
            view! {
                <p>"This address has an account. Sign in, and you come back here to join."</p>
                <LinkButton href kind=Kind::Primary large=true>"Sign in"</LinkButton>
            }
            .into_any()
        }
        Invitee::SomebodyElse { email: here } => {
            let words = format!(
                "You are signed in as {here}, and this invitation is for {email}. Sign out, then open the link in the letter again."
            );
            view! {
                <Banner tone=Tone::Warn>{words}</Banner>
                <SignOutButton words=true/>
            }
            .into_any()
        }
    };
    let title = format!("Join {workspace}");
    view! {
        <AuthLayout title lead>
            <dl class="cs-invited">
                <div><dt>"Your role"</dt><dd>{role_name(role)}<small class="cs-under">{role_words(role)}</small></dd></div>
                <div><dt>"Open until"</dt><dd><Time at=Some(expires_at) detail=Detail::Day/></dd></div>
            </dl>
            {way}
        </AuthLayout>
    }
}

/// For the person it is for, signed in.
#[component]
fn Join(token: String, workspace: String, accept: ServerAction<Accept>) -> impl IntoView {
    let error = move || accept.value().get().and_then(Result::err).map(|error| error.message().to_owned());
    view! {
        <ActionForm action=accept>
            {move || error().map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <input type="hidden" name="token" value=token/>
            <Button kind=Kind::Primary submit=true large=true disabled=Signal::derive(move || accept.pending().get())>{format!("Join {workspace}")}</Button>
        </ActionForm>
    }
}

/// For an address without an account.
#[component]
fn MakeAccount(token: String, accept: ServerAction<Accept>) -> impl IntoView {
    let error = Signal::derive(move || accept.value().get().and_then(Result::err));
    let of = move |field: &'static str| Signal::derive(move || error.get().and_then(|error| error.of_field(field)));
    view! {
        <ActionForm action=accept>
            {move || error.get().and_then(|error| error.beside_fields(&FIELDS)).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            <input type="hidden" name="token" value=token/>
            <Field name="name" label="Your name" autocomplete="name" autofocus=true error=of("name")/>
            <Field name="password" label="Password" kind="password" autocomplete="new-password" minlength=12 help="At least 12 characters" error=of("password")/>
            <Button kind=Kind::Primary submit=true large=true disabled=accept.pending()>
                {move || if accept.pending().get() { "Creating the account" } else { "Create account and join" }}
            </Button>
        </ActionForm>
    }
}
