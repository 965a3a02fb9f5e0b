//! The word on every page of a workspace that will go, with the way back for its owners.

use clarity_domain::view::Micros;
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::{
    paths,
    ui::{
        button::Button,
        note::Banner,
        pill::Tone,
        time::{Detail, Time},
    },
};

#[component]
pub fn Leaving(
    slug: String,
    /// When it goes.
    at: Micros,
    /// The viewer is an owner.
    owner: bool,
    forms: Forms,
) -> impl IntoView {
    let more = paths::deletion(&slug);
    let acts = owner.then(|| {
        view! {
            <div class="cs-row">
                <ActionForm action=forms.keep>
                    <input type="hidden" name="slug" value=slug/>
                    <Button submit=true disabled=Signal::derive(move || forms.keep.pending().get())>"Keep workspace"</Button>
                </ActionForm>
                <a class="cs-link" href=more>"About the deletion"</a>
            </div>
        }
    });
    view! {
        <div class="cs-leaving">
            <Banner tone=Tone::Bad>
                <p>"This workspace is deleted with all that is in it on " <Time at=Some(at) detail=Detail::Day/> "."</p>
                {acts}
            </Banner>
        </div>
    }
}
