//! Rows in columns.

use unicode_width::UnicodeWidthStr as _;

/// The widest column: what is longer stands out of it, and makes no other row longer.
const WIDEST: usize = 64;

/// How wide each column is, but for the last one.
pub(super) struct Columns<const N: usize>([usize; N]);

impl<const N: usize> Columns<N> {
    /// Room for these rows.
    pub fn of<'r>(rows: impl Iterator<Item = &'r [String; N]>) -> Self {
        let mut widths = [0; N];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width().min(WIDEST));
            }
        }
        Self(widths)
    }

    /// A row as a line.
    pub fn line(&self, cells: &[String; N], last: &str) -> String {
        let mut out = String::new();
        for (cell, width) in cells.iter().zip(self.0) {
            out.push_str(cell);
            out.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        format!("{out}{last}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_a_terminal_shows_it() {
        let rows = [["東京".to_owned()], ["b".to_owned()]];
        let columns = Columns::of(rows.iter());
        assert_eq!(columns.line(&rows[0], "x"), "東京  x\n");
        assert_eq!(columns.line(&rows[1], "x"), "b     x\n");
    }
}
