//! An app's address as a QR code, drawn by the page as one SVG path: no image is made, and none is asked for.

use std::fmt::Write as _;

use clarity_domain::error::AppError;
use clarity_domain::view::second_factor::Picture;
use qrcode::{Color, EcLevel, QrCode};

use crate::error::broken;

pub(super) fn draw(text: &str) -> Result<Picture, AppError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(broken)?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                write!(path, "M{x} {y}h{length}v1h-{length}z").map_err(broken)?;
            }
            x += run.len();
        }
    }
    Ok(Picture { modules: u32::try_from(width).map_err(broken)?, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_the_corners_of_a_qr_code() {
        let picture = draw("otpauth://totp/Clarity%20Stream:maja%40nordmark.example?secret=ABC").unwrap();
        assert!(picture.modules >= 21 && (picture.modules - 17).is_multiple_of(4), "{}", picture.modules);
        // The upper edges of the two upper corners: seven dark modules each.
        assert!(picture.path.starts_with("M0 0h7v1h-7z"), "{}", picture.path);
        assert!(picture.path.contains(&format!("M{} 0h7v1h-7z", picture.modules - 7)));
        assert!(picture.path.bytes().all(|b| b.is_ascii_digit() || b"Mhvz -".contains(&b)));
    }
}
