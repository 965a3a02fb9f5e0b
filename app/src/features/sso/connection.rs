//! The form of the provider: what it needs to be told, and what it tells us.

use clarity_domain::view::sso::SsoConnection;
use leptos::{form::ActionForm, prelude::*};

use super::{Forms, model};
use crate::{
    layout::refused::ConfirmFirst,
    ui::{
        button::{Button, Kind},
        card::Card,
        choice::Choice,
        copy::CopyCode,
        field::Field,
        pill::{Pill, Tone},
    },
};

#[component]
pub fn Connection(
    slug: String,
    redirect_uri: String,
    connection: Option<SsoConnection>,
    /// The viewer has shown of late that it is them.
    confirmed: bool,
    forms: Forms,
) -> impl IntoView {
    let enabled = connection.as_ref().is_some_and(|c| c.enabled);
    let (tone, state) = if enabled { (Tone::Ok, "On") } else { (Tone::Idle, "Off") };
    let pill = view! { <Pill tone text=state/> }.into_any();
    let form = if confirmed {
        view! { <Provider slug connection forms/> }.into_any()
    } else {
        let known = connection.map(|c| {
            view! { <p>"It is " <b class="cs-email">{c.issuer}</b> ", with the client ID " <b class="cs-email">{c.client_id}</b> "."</p> }
        });
        view! { {known} <ConfirmFirst to="to set it up"/> }.into_any()
    };
    view! {
        <Card title="Identity provider" remark="OpenID Connect" aside=pill>
            <div class="cs-stack">
                <p class="cs-quiet">"Tell your provider to send people back to this address:"</p>
                <CopyCode code=redirect_uri what="the redirect address"/>
                {form}
            </div>
        </Card>
    }
}

#[component]
fn Provider(slug: String, connection: Option<SsoConnection>, forms: Forms) -> impl IntoView {
    let of = move |field: &'static str| {
        Signal::derive(move || forms.set.value().get().and_then(Result::err).and_then(|error| error.of_field(field)))
    };
    let known = connection.is_some();
    let (issuer, client_id) = connection.as_ref().map(|c| (c.issuer.clone(), c.client_id.clone())).unwrap_or_default();
    let role = connection.as_ref().map_or("viewer", |c| c.default_role.as_str());
    let enabled = connection.as_ref().is_some_and(|c| c.enabled);
    let secret_help =
        if known { "Leave it empty to keep the one there is" } else { "It is sealed, and never shown again" };
    view! {
        <ActionForm action=forms.set>
            <input type="hidden" name="slug" value=slug/>
            <Field name="issuer" label="Issuer" kind="url" maxlength=500 autocomplete="off" value=issuer help="As the provider writes it, such as https://login.example.com" error=of("issuer")/>
            <Field name="client_id" label="Client ID" maxlength=300 autocomplete="off" value=client_id error=of("client_id")/>
            <Field name="client_secret" label="Client secret" kind="password" maxlength=1000 autocomplete="off" optional=known help=secret_help error=of("client_secret")/>
            <Choice id="sso-role" name="default_role" label="Whoever joins becomes" choices=model::default_roles() value=role/>
            <Choice id="sso-enabled" name="enabled" label="Single sign-on is" choices=model::states() value=enabled.to_string()/>
            <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || forms.set.pending().get())>"Save"</Button>
        </ActionForm>
    }
}
