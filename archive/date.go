package archive

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Date is a date of formation as a record gives it (日期, DA/T 18-2022): to the
// year, month or day, perhaps inferred by the archivist, always with the text
// it came from. The zero Date is "no date".
type Date struct {
	Year     int
	Month    int // 0 when unknown
	Day      int // 0 when unknown
	Inferred bool
	Original string // as written, verbatim
}

var datePattern = regexp.MustCompile(`^(\d{4})(?:[-./年]?(\d{1,2}))?(?:[-./月]?(\d{1,2}))?[年月日]?$`)

// ParseDate reads YYYY, YYYYMM, YYYYMMDD (DA/T 18), the same with - . / or 年月日
// between, and any of them in brackets when inferred: [19450815].
func ParseDate(s string) (Date, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return Date{}, nil
	}
	d := Date{Original: s}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		if !closed {
			return Date{}, fmt.Errorf("date: %w", ErrInvalid)
		}
		d.Inferred, text = true, inner
	}
	m := datePattern.FindStringSubmatch(text)
	if m == nil {
		return Date{}, fmt.Errorf("date: %w", ErrInvalid)
	}
	d.Year, d.Month, d.Day = atoi(m[1]), atoi(m[2]), atoi(m[3])
	if !d.real() {
		return Date{}, fmt.Errorf("date: %w", ErrInvalid)
	}
	return d, nil
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n } // callers pass digits or nothing

func (d Date) real() bool {
	if d.Year < 1 || d.Month > 12 || (d.Month == 0 && d.Day != 0) {
		return false
	}
	if d.Day == 0 {
		return true
	}
	t := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	return t.Day() == d.Day
}

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d.Year == 0 }

// String is the DA/T 18 form: YYYY, YYYYMM or YYYYMMDD, in brackets if inferred.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	s := fmt.Sprintf("%04d", d.Year)
	if d.Month > 0 {
		s += fmt.Sprintf("%02d", d.Month)
	}
	if d.Day > 0 {
		s += fmt.Sprintf("%02d", d.Day)
	}
	if d.Inferred {
		return "[" + s + "]"
	}
	return s
}

// ISO is YYYY, YYYY-MM or YYYY-MM-DD; it sorts by time.
func (d Date) ISO() string {
	switch {
	case d.IsZero():
		return ""
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// Chinese is 2010年5月20日, or as much of it as is known.
func (d Date) Chinese() string {
	switch {
	case d.IsZero():
		return ""
	case d.Month == 0:
		return fmt.Sprintf("%d年", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%d年%d月", d.Year, d.Month)
	}
	return fmt.Sprintf("%d年%d月%d日", d.Year, d.Month, d.Day)
}

// MarshalJSON writes the original text, from which the date is read back.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.Original != "" {
		return json.Marshal(d.Original)
	}
	return json.Marshal(d.String())
}

// UnmarshalJSON reads what ParseDate reads. A text that is no date is kept as
// Original with Year 0, so that validation can name the field.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := ParseDate(s)
	if err != nil {
		parsed = Date{Original: s}
	}
	*d = parsed
	return nil
}

// DateOf is the day of t in China Standard Time (UTC+8, no summer time).
func DateOf(t time.Time) Date {
	t = t.In(time.FixedZone("CST", 8*60*60))
	return Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
}

// Bad reports whether there is a text that is not a date.
func (d Date) Bad() bool { return d.IsZero() && strings.TrimSpace(d.Original) != "" }
