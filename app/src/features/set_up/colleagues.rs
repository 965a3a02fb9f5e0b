//! Asking colleagues in.

use clarity_domain::{
    role::{Role, may_grant},
    view::set_up::{SetUp, SetUpStep},
};
use leptos::{form::ActionForm, prelude::*};

use super::{content::Forms, step::SkipButton};
use crate::{
    features::members::{role_name, role_words},
    layout::refused::Refused,
    paths,
    ui::{
        button::{Button, Kind, LinkButton},
        card::Card,
        choice::Choice,
        field::Field,
    },
};

#[component]
pub fn Colleagues(slug: String, page: SetUp, forms: Forms) -> impl IntoView {
    let error = Signal::derive(move || forms.invite.value().get().and_then(Result::err));
    let of_email = Signal::derive(move || error.get().and_then(|error| error.of_field("email")));
    let role = page.role;
    let grantable = || Role::ALL.into_iter().filter(move |other| may_grant(role, *other));
    let choices = grantable().map(|role| (role.as_str().to_owned(), role_name(role).to_owned())).collect::<Vec<_>>();
    let words =
        grantable().map(|role| format!("{}: {}", role_name(role), role_words(role))).collect::<Vec<_>>().join(". ");
    let invited = page.invited.clone();
    let some = !invited.is_empty();
    let rows = invited.into_iter().map(|email| view! { <li>{email}</li> }).collect_view();
    let end = if some {
        let next = paths::set_up_step(&slug, SetUpStep::Source);
        view! { <div><LinkButton href=next>"Continue"</LinkButton></div> }.into_any()
    } else {
        view! { <SkipButton slug=slug.clone() step=SetUpStep::Colleagues forms/> }.into_any()
    };
    view! {
        <Card title="Colleagues" remark="step 3 of 4">
            <div class="cs-stack">
                <p class="cs-quiet">"They get a letter with a link that works once, for 72 hours."</p>
                {some.then(|| view! { <div><p>"Invited:"</p><ul class="cs-set-up__invited">{rows}</ul></div> })}
                {move || error.get().filter(|error| error.of_field("email").is_none()).map(|error| view! { <Refused error/> })}
                <ActionForm action=forms.invite>
                    <input type="hidden" name="slug" value=slug/>
                    <div class="cs-form">
                        <Field name="email" label="E-mail" kind="email" maxlength=254 autocomplete="off" error=of_email/>
                        <Choice id="colleague-role" name="role" label="Role" choices value=Role::Operator.as_str()/>
                        <Button submit=true kind=Kind::Primary disabled=Signal::derive(move || forms.invite.pending().get())>"Send invitation"</Button>
                    </div>
                </ActionForm>
                <p class="cs-quiet">{words}"."</p>
                {end}
            </div>
        </Card>
    }
}
