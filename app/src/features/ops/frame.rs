//! Around the pages of the platform's own people: a bar in a colour that no page of a workspace has.

use clarity_domain::view::support::OpsPerson;
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::OpsSignOut;
use crate::{paths, ui::button::Button};

#[component]
pub fn OpsFrame(
    /// Nobody on the pages before the sign-in.
    person: Option<OpsPerson>,
    children: Children,
) -> impl IntoView {
    let person = person.map(|person| {
        view! {
            <span class="cs-ops__person">{person.email}</span>
            <form method="post" action=OpsSignOut::url()><Button submit=true>"Sign out"</Button></form>
        }
    });
    view! {
        <a class="cs-skip" href="#main">"Skip to the content"</a>
        <div class="cs-ops">
            <header class="cs-ops__bar">
                <a class="cs-ops__name" href=paths::OPS>"Clarity Stream support"</a>
                {person}
            </header>
            <main class="cs-ops__main" id="main" tabindex="-1">{children()}</main>
        </div>
    }
}
