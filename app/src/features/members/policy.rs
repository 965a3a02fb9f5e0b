//! Whether members need a second factor: the owner's switch.

use leptos::{form::ActionForm, prelude::*};

use super::api::RequireSecondFactor;
use crate::{
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        pill::{Pill, Tone},
    },
};

#[component]
pub fn SecondFactorPolicy(
    slug: String,
    /// As it is.
    required: bool,
    /// The owner has one.
    own: bool,
    require: ServerAction<RequireSecondFactor>,
) -> impl IntoView {
    let (tone, state) = if required { (Tone::Ok, "Needed") } else { (Tone::Idle, "Not needed") };
    let pill = view! { <Pill tone text=state/> }.into_any();
    let words = if required {
        "Members without one are led to add it when they enter. Whoever is asked for a code is asked in all their workspaces."
    } else {
        "When it is needed, members without one are led to add it before they see anything here, and their open pages stop within seconds."
    };
    let act = if required || own {
        let (wanted, act) =
            if required { ("false", "Do not ask for it any more") } else { ("true", "Ask for a second factor") };
        view! {
            <ActionForm action=require>
                <input type="hidden" name="slug" value=slug/>
                <input type="hidden" name="required" value=wanted/>
                <Button submit=true kind=if required { Kind::Plain } else { Kind::Primary } disabled=Signal::derive(move || require.pending().get())>{act}</Button>
            </ActionForm>
        }
        .into_any()
    } else {
        let href = paths::second_factor(Some(&paths::members(&slug)));
        view! { <LinkButton href>"Add one for yourself first"</LinkButton> }.into_any()
    };
    view! {
        <Card title="Members need a second factor" aside=pill>
            <div class="cs-stack">
                <p class="cs-quiet">{words}</p>
                <div>{act}</div>
            </div>
        </Card>
    }
}
