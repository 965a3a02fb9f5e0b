//! A letter's two versions, made of the same words. The HTML asks for nothing from anywhere, and every value in it is
//! escaped.

use super::words::{Part, Words};

const FONT: &str = "font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const SIGNED: &str = "Clarity Stream";

pub(super) fn text(words: &Words) -> String {
    let mut out = String::new();
    for part in &words.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Act { label, link } => {
                out.push_str(label);
                out.push_str(":\n");
                out.push_str(link);
            }
        }
        out.push_str("\n\n");
    }
    out.push_str(SIGNED);
    out.push('\n');
    out
}

pub(super) fn html(words: &Words) -> String {
    let subject = escape(&words.subject);
    let parts: String = words.parts.iter().map(part).collect();
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{subject}</title></head>\n\
         <body style=\"margin:0;padding:24px;background:#f5f6f6\">\n\
         <div style=\"max-width:520px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #e2e5e6;border-radius:8px;color:#1b2426;{FONT}\">\n\
         {parts}\
         <p style=\"margin:24px 0 0;color:#667275\">{SIGNED}</p>\n\
         </div>\n\
         </body>\n\
         </html>\n"
    )
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => format!("<p style=\"margin:0 0 16px\">{}</p>\n", escape(text)),
        Part::Act { label, link } => {
            let (label, link) = (escape(label), escape(link));
            // The address stands below as well: whoever looks before they press sees where it goes.
            format!(
                "<p style=\"margin:0 0 16px\"><a href=\"{link}\" style=\"color:#0b6b6b;font-weight:600\">{label}</a><br>\
                 <span style=\"color:#667275;font-size:13px;word-break:break-all\">{link}</span></p>\n"
            )
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Letter, words};
    use clarity_domain::role::Role;

    const LINK: &str = "https://clarity.example/confirm/00ff?a=1&b=\"'<>";

    #[test]
    fn values_are_escaped_in_html_and_as_they_are_in_text() {
        let workspace = "<b onclick=\"x()\">A & 'B'</b>\r\n<img src=//evil>";
        let letter = Letter::Invitation { workspace, inviter: "Joe", role: Role::Viewer, link: LINK, again: false };
        let words = words::of(&letter);
        let (text, html) = (text(&words), html(&words));
        assert!(text.contains("“<b onclick=\"x()\">A & 'B'</b> <img src=//evil>”"), "{text}");
        assert!(text.contains(&format!("Accept the invitation:\n{LINK}\n")), "{text}");
        assert!(
            html.contains("“&lt;b onclick=&quot;x()&quot;&gt;A &amp; &#39;B&#39;&lt;/b&gt; &lt;img src=//evil&gt;”"),
            "{html}"
        );
        assert!(html.contains("href=\"https://clarity.example/confirm/00ff?a=1&amp;b=&quot;&#39;&lt;&gt;\""), "{html}");
        assert!(!html.contains("<b ") && !html.contains("<img"), "{html}");
    }

    #[test]
    fn html_asks_for_nothing_from_anywhere() {
        let html = html(&words::of(&Letter::ResetPassword { link: "https://clarity.example/reset/00ff" }));
        for word in ["<img", "<link", "<script", "<style", "url(", "src="] {
            assert!(!html.contains(word), "{word}");
        }
    }

    #[test]
    fn both_versions_say_the_same() {
        let words = words::of(&Letter::AccountExists {
            sign_in: "https://clarity.example/sign-in",
            reset: "https://clarity.example/reset",
        });
        let (text, html) = (text(&words), html(&words));
        for part in &words.parts {
            match part {
                Part::Text(said) => assert!(text.contains(said.as_str()) && html.contains(&escape(said)), "{said}"),
                Part::Act { label, link } => {
                    assert!(text.contains(label) && html.contains(label), "{label}");
                    assert!(text.contains(link.as_str()) && html.contains(&format!(">{link}<")), "{link}");
                }
            }
        }
    }
}
