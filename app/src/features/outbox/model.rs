//! A letter's text, cut where its links are. Plain Rust.

/// A piece of a letter's plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Link(&'a str),
}

/// Every address of the web becomes a link, and nothing else does.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = next_link(rest) {
        let (before, link) = rest.split_at(at);
        let (link, after) = link.split_at(link.find(char::is_whitespace).unwrap_or(link.len()));
        if !before.is_empty() {
            out.push(Piece::Text(before));
        }
        out.push(Piece::Link(link));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

fn next_link(text: &str) -> Option<usize> {
    ["https://", "http://"].into_iter().filter_map(|start| text.find(start)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_links_and_the_text_stays_whole() {
        let text = "Go on:\nhttps://a.example/reset/00ff\n\nor http://b.example.";
        let cut = pieces(text);
        assert_eq!(
            cut,
            [
                Piece::Text("Go on:\n"),
                Piece::Link("https://a.example/reset/00ff"),
                Piece::Text("\n\nor "),
                Piece::Link("http://b.example."),
            ]
        );
        assert_eq!(pieces("javascript:x ftp://y"), [Piece::Text("javascript:x ftp://y")]);
        assert!(pieces("").is_empty());
    }
}
