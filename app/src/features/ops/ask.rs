//! Asking the owners of a workspace: why, and for how long.

use clarity_domain::support::MINUTES;
use leptos::{form::ActionForm, prelude::*};

use super::api::AskSupport;
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    choice::Choice,
    field::Field,
    note::Banner,
    pill::Tone,
};

#[component]
pub fn AskForm(slug: String, ask: ServerAction<AskSupport>) -> impl IntoView {
    let error = Signal::derive(move || ask.value().get().and_then(Result::err));
    let of_reason = Signal::derive(move || error.get().and_then(|error| error.of_field("reason")));
    let choices = MINUTES.map(|minutes| (minutes.to_string(), format!("{minutes} minutes"))).to_vec();
    view! {
        <Card title="Ask for access" remark="to how agents and sources are; nothing can be changed">
            <ActionForm action=ask>
                {move || error.get().and_then(|error| error.beside_fields(&["reason"])).map(|text| view! { <Banner tone=Tone::Bad alert=true>{text}</Banner> })}
                <input type="hidden" name="slug" value=slug/>
                <div class="cs-ops__ask">
                    <Field name="reason" label="Reason" maxlength=500 autocomplete="off" help="The owners read it in their letter." error=of_reason/>
                    <Choice id="minutes" name="minutes" label="For" choices value=MINUTES[0].to_string()/>
                    <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || ask.pending().get())>"Ask the owners"</Button>
                </div>
            </ActionForm>
        </Card>
    }
}
