//! The letter that was chosen, over the list of all.

use clarity_domain::{
    ids::MailId,
    view::outbox::{LetterLine, OpenLetter, Outbox},
};
use leptos::prelude::*;

use super::model::{Piece, pieces};
use crate::{
    paths,
    ui::{
        button::{Kind, LinkButton},
        card::Card,
        icon::Symbol,
        note::{Banner, EmptyNote},
        pill::Tone,
        table::{Column, Table},
        time::{Detail, Time},
    },
};

#[component]
pub fn OutboxContent(
    outbox: Outbox,
    /// The letter that the URL names.
    asked: Option<MailId>,
) -> impl IntoView {
    let Outbox { letters, open } = outbox;
    let gone = asked.is_some() && open.is_none();
    view! {
        <div class="cs-head">
            <div class="cs-head__text"><h1>"Letters"</h1><p>"This server sends no mail. It keeps the newest 100 letters here instead"</p></div>
            <LinkButton href=paths::OUTBOX attr:rel="external">"Look again"</LinkButton>
        </div>
        {gone.then(|| view! { <Banner tone=Tone::Warn>"This letter is not here any more."</Banner> })}
        {open.map(|letter| view! { <Opened letter/> })}
        {if letters.is_empty() {
            view! {
                <div class="cs-card">
                    <EmptyNote symbol=Symbol::Inbox title="No letters yet" message="Sign up, invite somebody or ask for a new password: the letter comes here."/>
                </div>
            }
                .into_any()
        } else {
            view! { <Card title="Newest first"><Lines letters asked/></Card> }.into_any()
        }}
    }
}

#[component]
fn Opened(letter: OpenLetter) -> impl IntoView {
    let OpenLetter { line, text } = letter;
    let aside = view! { <LinkButton kind=Kind::Quiet href=paths::OUTBOX>"Close"</LinkButton> }.into_any();
    let body = pieces(&text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => view! { <span>{text.to_owned()}</span> }.into_any(),
            // As from a mail program: the page behind it is loaded anew.
            Piece::Link(link) => {
                view! { <a class="cs-link" rel="external" href=link.to_owned()>{link.to_owned()}</a> }.into_any()
            }
        })
        .collect_view();
    view! {
        <Card title=line.subject aside>
            <p class="cs-quiet">"To "{line.to}", "<Time at=Some(line.at) detail=Detail::Day/></p>
            <p class="cs-outbox__text">{body}</p>
        </Card>
    }
}

#[component]
fn Lines(letters: Vec<LetterLine>, asked: Option<MailId>) -> impl IntoView {
    let columns = ["Subject", "To", "Time"].map(Column::new).to_vec();
    let rows = letters
        .into_iter()
        .map(|line| {
            let current = (asked == Some(line.id)).then_some("true");
            view! {
                <tr>
                    <th scope="row"><a class="cs-link" href=paths::letter(line.id) aria-current=current>{line.subject}</a></th>
                    <td data-label="To">{line.to}</td>
                    <td data-label="Time"><Time at=Some(line.at) detail=Detail::Day/></td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table caption="Letters, newest first" columns>{rows}</Table> }
}
