package stamp

import "fmt"

// room is the height that the body has on the first and on later pages, on one that goes on and on the one
// that closes with the seal.
type room struct{ firstOpen, firstClosing, laterOpen, laterClosing float64 }

// maxPages bounds a certificate; a longer one is an extract and belongs into a copy of the file.
const maxPages = 20

// paginate deals the lines out to pages. Only the last page closes, and it carries at least two lines.
func paginate(lines []bodyLine, r room) ([][]bodyLine, error) {
	open, closing := r.firstOpen-2*bodyPad, r.firstClosing-2*bodyPad
	var pages [][]bodyLine
	for len(pages) < maxPages {
		if fit(lines, closing) == len(lines) {
			return append(pages, lines), nil
		}
		n := min(fit(lines, open), len(lines)-2)
		for n > 0 && lines[n-1].head {
			n--
		}
		if n <= 0 {
			return nil, fmt.Errorf("%w: no room for the body", ErrTooLong)
		}
		pages = append(pages, lines[:n])
		lines = lines[n:]
		open, closing = r.laterOpen-2*bodyPad, r.laterClosing-2*bodyPad
	}
	return nil, fmt.Errorf("%w: more than %d pages", ErrTooLong, maxPages)
}

// tighten sets the paragraphs closer when that is enough to keep the certificate on one page; a page with
// nothing but the seal on it would be the worse look.
func tighten(lines []bodyLine, leads []float64, closing float64) {
	for _, lead := range leads {
		total := 2 * bodyPad
		for _, l := range lines {
			if l.text {
				l.height = lead
			}
			total += l.height
		}
		if total > closing {
			continue
		}
		for i := range lines {
			if lines[i].text {
				lines[i].height = lead
			}
		}
		return
	}
}

// total is the height of the lines.
func total(lines []bodyLine) (sum float64) {
	for _, l := range lines {
		sum += l.height
	}
	return sum
}

// fit returns how many lines go into the height.
func fit(lines []bodyLine, height float64) int {
	for i, l := range lines {
		if height -= l.height; height < 0 {
			return i
		}
	}
	return len(lines)
}
