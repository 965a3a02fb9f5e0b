//! Telling the app the secret, its first code, and the recovery codes, which are shown once.

use clarity_domain::view::second_factor::Enrolment;
use leptos::{form::ActionForm, prelude::*};

use super::{
    api::{Begin, Enrol, Kept},
    content::back,
};
use crate::ui::{
    button::{Button, Kind},
    copy::CopyCode,
    field::Field,
    note::Banner,
    pill::Tone,
    qr::Qr,
};

#[component]
pub fn Enrolling(
    enrolment: Enrolment,
    next: Option<String>,
    enrol: ServerAction<Enrol>,
    begin: ServerAction<Begin>,
) -> impl IntoView {
    let Enrolment { secret, url, picture } = enrolment;
    let error = Signal::derive(move || enrol.value().get().and_then(Result::err));
    let of_code = Signal::derive(move || error.get().and_then(|error| error.of_field("code")));
    let again = next.clone();
    view! {
        <p>"Scan this with your authenticator app:"</p>
        <Qr modules=picture.modules path=picture.path label="QR code for your authenticator app"/>
        <p class="cs-quiet">"On this device: " <a class="cs-link" href=url>"open your app"</a> ". Or type the secret into it:"</p>
        <CopyCode code=secret what="the secret"/>
        <ActionForm action=enrol>
            {move || error.get().and_then(|error| error.beside_fields(&["code"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
            {back(next)}
            <Field name="code" label="Code that the app shows" autocomplete="one-time-code" inputmode="numeric" maxlength=12 error=of_code/>
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || enrol.pending().get())>
                {move || if enrol.pending().get() { "Turning it on" } else { "Turn it on" }}
            </Button>
        </ActionForm>
        <ActionForm action=begin>
            {back(again)}
            <Button submit=true kind=Kind::Quiet disabled=Signal::derive(move || begin.pending().get())>"Make another secret"</Button>
        </ActionForm>
    }
}

#[component]
pub fn Codes(codes: Vec<String>, next: Option<String>, kept: ServerAction<Kept>) -> impl IntoView {
    view! {
        <h2>"Your recovery codes"</h2>
        <Banner tone=Tone::Warn>"They are shown once. Keep them where you find them without your phone: each signs you in once when the app is lost."</Banner>
        <CopyCode code=codes.join("\n") what="the recovery codes"/>
        <ActionForm action=kept>
            {back(next)}
            <Button submit=true large=true kind=Kind::Primary disabled=Signal::derive(move || kept.pending().get())>"I have kept them"</Button>
        </ActionForm>
    }
}
