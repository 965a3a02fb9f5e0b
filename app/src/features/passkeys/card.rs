//! A person's passkeys on their page: each with its name and last use, the ways to rename and to remove it, and a new one.

use clarity_domain::view::second_factor::{PasskeyCard, Passkeys};
use leptos::{ev::SubmitEvent, form::ActionForm, prelude::*};

use super::{
    api::{Remove, Rename},
    ask::{self, Asking},
};
use crate::{
    layout::refused::Refused,
    ui::{
        button::{Button, Kind},
        confirm::Confirm,
        field::Field,
        time::{Clock, Detail, Time},
    },
};

/// Id of the field in which a new passkey gets its name.
const NAME: &str = "passkey-name";

#[component]
pub fn PasskeysCard(
    passkeys: Passkeys,
    /// Where the person came from.
    next: Option<String>,
    remove: ServerAction<Remove>,
    rename: ServerAction<Rename>,
    /// Counts the passkeys that were added: the page is read again.
    added: RwSignal<usize>,
) -> impl IntoView {
    let Passkeys { possible, list, .. } = passkeys;
    let rows = (!list.is_empty()).then(|| {
        let each =
            list.into_iter().map(|passkey| view! { <Row passkey next=next.clone() remove rename/> }).collect_view();
        view! { <ul class="cs-passkeys__list">{each}</ul> }
    });
    let new = if possible {
        view! { <New next added/> }.into_any()
    } else {
        view! { <p class="cs-quiet">"Passkeys need an address with a name; this installation is reached by a number."</p> }
            .into_any()
    };
    view! {
        <section class="cs-passkeys" aria-labelledby="passkeys">
            <h2 id="passkeys">"Passkeys"</h2>
            <p class="cs-quiet">"Your device signs you in once it has seen your finger, your face or its PIN. Nothing to type, and nothing that another site could ask you for."</p>
            {rows}
            {new}
        </section>
    }
}

#[component]
fn Row(
    passkey: PasskeyCard,
    next: Option<String>,
    remove: ServerAction<Remove>,
    rename: ServerAction<Rename>,
) -> impl IntoView {
    let PasskeyCard { id, name, added_at, used_at } = passkey;
    let back = |next: Option<String>| next.map(|next| view! { <input type="hidden" name="next" value=next/> });
    let (after_removal, after_renaming) = (back(next.clone()), back(next));
    let used = match used_at {
        Some(at) => view! { "last used " <Time at=Some(at) detail=Detail::Day/> }.into_any(),
        None => view! { "not used yet" }.into_any(),
    };
    view! {
        <li class="cs-passkeys__one">
            <span>
                <b>{name.clone()}</b>
                <small>"added " <Time at=Some(added_at) detail=Detail::Day/> ", " {used}</small>
            </span>
            <Confirm
                id=format!("remove-{id}")
                act="Remove"
                label=format!("Remove the passkey {name}")
                question=format!("Remove the passkey {name}?")
                message="It signs you in no more; delete it on the device as well. Without any second factor, your recovery codes are of no use, and workspaces that ask for one let you in only when you have added one again."
            >
                <ActionForm action=remove>
                    <input type="hidden" name="id" value=id.to_string()/>
                    {after_removal}
                    <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || remove.pending().get())>"Remove it"</Button>
                </ActionForm>
            </Confirm>
            <details class="cs-behind cs-passkeys__rename">
                <summary>"Rename"<span class="cs-visually-hidden">{format!(" the passkey {name}")}</span></summary>
                <ActionForm action=rename>
                    <input type="hidden" name="id" value=id.to_string()/>
                    {after_renaming}
                    <Field name="name" id=format!("name-{id}") label="New name" autocomplete="off" maxlength=60 value=name/>
                    <Button submit=true disabled=Signal::derive(move || rename.pending().get())>"Save the name"</Button>
                </ActionForm>
            </details>
        </li>
    }
}

#[component]
fn New(next: Option<String>, added: RwSignal<usize>) -> impl IntoView {
    let clock: Clock = expect_context();
    let running = clock.is_running();
    let asking = Asking::idle();
    let of_name = Signal::derive(move || asking.refused.get().and_then(|error| error.of_field("name")));
    let next = StoredValue::new(next);
    let form = move || {
        let go = move |event: SubmitEvent| {
            event.prevent_default();
            ask::add(NAME, next.get_value(), asking, added);
        };
        view! {
            <form on:submit=go>
                {move || asking.refused.get().filter(|error| error.of_field("name").is_none()).map(|error| view! { <Refused error/> })}
                <Field name="name" id=NAME label="Name of the new passkey" autocomplete="off" maxlength=60 help="The device that holds it, such as iPhone" error=of_name/>
                <Button submit=true large=true disabled=asking.busy>
                    {move || if asking.busy.get() { "Waiting for your device" } else { "Add a passkey" }}
                </Button>
            </form>
        }
    };
    view! {
        {move || if running.get() {
            form().into_any()
        } else {
            view! { <p class="cs-quiet">"Adding a passkey needs JavaScript."</p> }.into_any()
        }}
    }
}
