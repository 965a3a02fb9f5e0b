//! Where a member begins: the address of their workspace. A plain form, sent to the server, which leads on.

use leptos::prelude::*;

use crate::{
    paths,
    ui::{
        button::{Button, Kind},
        field::Field,
    },
};

#[component]
pub fn BeginForm() -> impl IntoView {
    view! {
        <form method="get" action=paths::SSO_START>
            <Field name="slug" label="Address of your workspace" autocomplete="organization" maxlength=200 autofocus=true help="What stands behind /w/ in its address, such as nordmark"/>
            <Button kind=Kind::Primary submit=true large=true>"Go on"</Button>
        </form>
    }
}
