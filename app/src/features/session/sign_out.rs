//! Sign out, as a form: it works without script, and no link can do it. A form of the browser's own: what follows is
//! loaded anew, and nothing of the session stays in the page.

use leptos::{prelude::*, server_fn::ServerFn};

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
    view! {
        <form method="post" action=SignOut::url()>
            <Button kind=Kind::Quiet submit=true icon=!words attr:title="Sign out">
                <Icon symbol=Symbol::SignOut/>
                <span class=if words { "" } else { "cs-visually-hidden" }>"Sign out"</span>
            </Button>
        </form>
    }
}
