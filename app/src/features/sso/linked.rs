//! Members whom the provider knows, each with the button that has it know them no more.

use clarity_domain::view::{Micros, sso::SsoLinked};
use leptos::{form::ActionForm, prelude::*};

use super::Forms;
use crate::ui::{
    button::{Button, Kind},
    card::Card,
    confirm::Confirm,
    table::{Column, Table},
    time::{Ago, Detail, Time},
};

#[component]
pub fn Linked(slug: String, linked: Vec<SsoLinked>, base: Micros, forms: Forms) -> impl IntoView {
    let none = linked.is_empty();
    let columns = ["Person", "Linked", "Last used", ""].map(Column::new).to_vec();
    let rows = linked.into_iter().map(|one| view! { <Line slug=slug.clone() one base forms/> }).collect_view();
    let content = if none {
        view! { <p class="cs-quiet">"Nobody has come by it yet."</p> }.into_any()
    } else {
        view! { <div class="cs-table-scroll"><Table caption="Members whom the provider knows" columns>{rows}</Table></div> }
            .into_any()
    };
    view! { <Card title="Linked members" remark="whom the provider knows">{content}</Card> }
}

#[component]
fn Line(slug: String, one: SsoLinked, base: Micros, forms: Forms) -> impl IntoView {
    let SsoLinked { id, name, email, linked_at, last_used_at } = one;
    let (id, label, question) = (id.to_string(), format!("Unlink {name}"), format!("Unlink {name}?"));
    let popover = format!("unlink-{id}");
    view! {
        <tr>
            <th scope="row" class="cs-table__wrap cs-members__who">{name} <small>{email}</small></th>
            <td data-label="Linked"><Time at=Some(linked_at) detail=Detail::Day/></td>
            <td data-label="Last used"><Ago at=last_used_at base/></td>
            <td data-align="end" data-beside="">
                <Confirm
                    id=popover
                    act="Unlink"
                    label=label
                    question=question
                    message="Their sessions by single sign-on end. They stay a member, and show their password to link again."
                >
                    <ActionForm action=forms.unlink>
                        <input type="hidden" name="slug" value=slug/>
                        <input type="hidden" name="user" value=id/>
                        <Button submit=true kind=Kind::Danger disabled=Signal::derive(move || forms.unlink.pending().get())>"Unlink"</Button>
                    </ActionForm>
                </Confirm>
            </td>
        </tr>
    }
}
