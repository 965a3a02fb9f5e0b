//! Sign out, as a form: it works without script, and no link can do it.

use leptos::{form::ActionForm, prelude::*};

use super::api::SignOut;
use crate::ui::{
    button::{Button, Kind},
    icon::{Icon, Symbol},
};

#[component]
pub fn SignOutButton(
    /// With the words beside the icon.
    #[prop(optional)]
    words: bool,
) -> impl IntoView {
    let action = ServerAction::<SignOut>::new();
    view! {
        <ActionForm action=action>
            <Button kind=Kind::Quiet submit=true icon=!words attr:title="Sign out">
                <Icon symbol=Symbol::SignOut/>
                <span class=if words { "" } else { "cs-visually-hidden" }>"Sign out"</span>
            </Button>
        </ActionForm>
    }
}
