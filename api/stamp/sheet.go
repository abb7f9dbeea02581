package stamp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrTooLong is wrapped when the body needs more than maxPages, or when something that cannot flow to the
// next page (rows, notes, names, the number) has no room.
var ErrTooLong = errors.New("too long for a certificate")

// ErrIncomplete is wrapped when a sheet lacks what every certificate must show.
var ErrIncomplete = errors.New("sheet is incomplete")

// Sheet is everything that stands on a certificate, already in words: this package prints them and never
// makes up its own, so that a sheet in any language of the fonts looks right. Texts are plain; "\n" starts
// a new line in a value or a note.
type Sheet struct {
	Language string // BCP 47, for readers and screen readers: zh-CN, en
	// Issuer is the office, in red at the head. Of it and of the title, what follows a "\n" is set smaller: the same
	// in another language.
	Issuer string
	Title  string
	Number string // certificate number (编号)

	Rows  []Row       // above the body: applicant, purpose, where the file is
	Body  []Paragraph // what the record says
	Also  Translation // the same in another language, under the body
	After []Row       // below the body: term, remarks

	SignedBy string // under the seal: the office,
	Date     string // and the day of issue

	Draft       string // words across every page of what is not to be taken for a certificate
	PurposeMark string // tiled grey over every page (仅供…使用); empty for none
	QRText      string // what the QR code says; empty for none
	CheckCode   string
	VerifyURL   string
	Notes       []string // small print beside the QR code
	Footer      string   // after the page number on every page

	Labels Labels
}

// Row is one line of the table: one field over the full width, or two side by side.
type Row []Field

// Field is a bold label and its value; a long value wraps.
type Field struct{ Label, Value string }

// Translation is a body in a second language; the zero value is none.
type Translation struct {
	Language string // BCP 47, of a language written with letters
	Body     []Paragraph
}

// Paragraph is a run of sentences.
type Paragraph []Sentence

// Sentence is one statement and the place in the archive that it rests on, e.g. "J0231-MS-2010-0456-078
// 第3页，2010年5月20日". Equal sources share a number in the list under the body. Source is empty only for a
// sentence that states nothing from a record.
type Sentence struct{ Text, Source string }

// Labels are the fixed words of a sheet. Chinese and English return ready sets.
type Labels struct {
	Number    string // before the certificate number
	Body      string // label of the body's cell
	Sources   string // heading of the list of sources
	End       string // closes the body, so that nothing can be added (以下空白)
	Scan      string // first line beside the QR code
	CheckCode string // before the check code
	VerifyURL string // before the address
	Page      string // "{page}" and "{pages}" are replaced
	Continued string // after the title on later pages
}

// Chinese returns the labels of a Chinese certificate.
func Chinese() Labels {
	return Labels{
		Number: "编号：", Body: "档案记载内容", Sources: "依据", End: "（以下空白）",
		Scan: "扫描二维码核验本证明真伪", CheckCode: "核验码：", VerifyURL: "核验网址：",
		Page: "第 {page} 页 共 {pages} 页", Continued: "（续页）",
	}
}

// English returns the labels of an English certificate.
func English() Labels {
	return Labels{
		Number: "No. ", Body: "Facts on record", Sources: "Sources", End: "(end of text)",
		Scan: "Scan to verify this certificate", CheckCode: "Check code: ", VerifyURL: "Verify at: ",
		Page: "Page {page} of {pages}", Continued: " (continued)",
	}
}

// Bilingual returns the labels of a certificate in Chinese and English.
func Bilingual() Labels {
	zh, en := Chinese(), English()
	return Labels{
		Number: "编号 No.：", Body: zh.Body, Sources: zh.Sources + " " + en.Sources, End: zh.End + " " + en.End,
		Scan: zh.Scan + "\n" + en.Scan, CheckCode: "核验码 Check code：", VerifyURL: "核验网址 Verify at：",
		Page: zh.Page + "  " + en.Page, Continued: zh.Continued,
	}
}

func (l Labels) page(page, pages int) string {
	return strings.NewReplacer("{page}", fmt.Sprint(page), "{pages}", fmt.Sprint(pages)).Replace(l.Page)
}

// maxNumber is how long a number may be to stand on one line with its label.
const maxNumber = 48

// languageTag is what a tag is made of (RFC 5646, section 2.1); the tag is written into the file as it is.
const languageTag = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

// check names the fields that are missing or malformed, never their content.
func (s *Sheet) check() error {
	var problems []string
	for name, value := range map[string]string{
		"Issuer": s.Issuer, "Title": s.Title, "Number": s.Number, "SignedBy": s.SignedBy, "Date": s.Date, "Labels.Page": s.Labels.Page,
	} {
		if strings.TrimSpace(value) == "" {
			problems = append(problems, name+" is empty")
		}
	}
	if s.Language == "" || strings.Trim(s.Language+s.Also.Language, languageTag) != "" {
		problems = append(problems, "Language is not a language tag")
	}
	if len(s.Body) == 0 {
		problems = append(problems, "Body is empty")
	}
	for _, row := range append(s.Rows[:len(s.Rows):len(s.Rows)], s.After...) {
		if len(row) != 1 && len(row) != 2 {
			problems = append(problems, "a row has neither one field nor two")
		}
	}
	if utf8.RuneCountInString(s.Number) > maxNumber {
		return fmt.Errorf("%w: number of more than %d characters", ErrTooLong, maxNumber)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%w: %s", ErrIncomplete, strings.Join(problems, ", "))
	}
	return nil
}

// sources numbers the distinct sources of the body in order of first use, from 1.
func (s *Sheet) sources() (list []string, number map[string]int) {
	number = map[string]int{}
	for _, paragraph := range slices.Concat(s.Body, s.Also.Body) {
		for _, sentence := range paragraph {
			if sentence.Source != "" && number[sentence.Source] == 0 {
				list = append(list, sentence.Source)
				number[sentence.Source] = len(list)
			}
		}
	}
	return list, number
}
