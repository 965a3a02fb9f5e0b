//! What the frame says over every page: that the workspace will go, that somebody of support is inside, that the plan comes to
//! its end. The server makes the words ([`words`]), so all that the browser has to know is one kind of line. What can be done
//! about it is a form of the browser's own: what follows is loaded anew.

use clarity_domain::{
    ids::SupportGrantId,
    view::{Micros, session::Frame},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ui::{
    button::Button,
    icon::{Icon, Symbol},
    time::{Clock, Detail, Time},
};

#[cfg(feature = "ssr")]
pub mod words;

/// The frame, and what it says over the pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Framed {
    pub frame: Frame,
    pub notes: Vec<FrameNote>,
    /// The grants of support that the notes tell of.
    pub support: Vec<SupportGrantId>,
}

/// One line. The time stands between the words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameNote {
    pub tone: String,
    pub before: String,
    pub at: Option<Micros>,
    /// The time's day is said as well.
    pub with_day: bool,
    pub after: String,
    /// A page, by its name and path.
    pub page: Option<(String, String)>,
    /// What can be done: the button's words and the form's address, with the fields that it sends.
    pub act: Option<(String, String)>,
    pub fields: Vec<(String, String)>,
    /// It is true until then.
    pub until: Option<Micros>,
}

#[component]
pub fn Notes(notes: Vec<FrameNote>) -> impl IntoView {
    let clock: Clock = expect_context();
    let line = move |note: FrameNote| {
        let FrameNote { tone, before, at, with_day, after, page, act, fields, until } = note;
        let over = Memo::new(move |_| until.is_some_and(|until| clock.now().is_some_and(|now| now >= until)));
        let detail = if with_day { Detail::Day } else { Detail::Minute };
        let time = at.map(|at| view! { <Time at=Some(at) detail/> });
        let page = page.map(|(name, path)| view! { <a class="cs-link" href=path>{name}</a> });
        let act = act.map(|(words, action)| {
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
                .collect();
            view! { <form method="post" action=action>{fields}<Button submit=true>{words}</Button></form> }
        });
        view! {
            <div class="cs-note-line" role="note" data-tone=tone hidden=move || over.get()>
                <Icon symbol=Symbol::Warning/>
                <p>{before}{time}{after}</p>
                {page}
                {act}
            </div>
        }
        .into_any()
    };
    notes.into_iter().map(line).collect::<Vec<_>>()
}
