package archive

// Reading is what the reader found in a file. It is derived: it can be thrown
// away and made again from the bytes.
type Reading struct {
	MediaType string    `json:"media_type"` // by content, not by name
	Pages     int       `json:"pages"`
	Text      []string  `json:"text,omitempty"` // per page, empty when there is none
	Findings  []Finding `json:"findings,omitempty"`
	// Sizes is how large each page is, and how it is turned.
	Sizes []PageSize `json:"sizes,omitempty"`
	// Signatures are those on the file, in the order of its objects.
	Signatures []Signature `json:"signatures,omitempty"`
}

// Finding is something the reader has to say about a file. A rejecting finding
// keeps the file but shows it to nobody.
type Finding struct {
	Code    string `json:"code"`
	Rejects bool   `json:"rejects"`
}

// Rejected reports whether any finding rejects the file.
func (r Reading) Rejected() bool {
	for _, f := range r.Findings {
		if f.Rejects {
			return true
		}
	}
	return false
}

// State is where a file is on its way from upload to view.
type State string

// A file is shown to nobody until the reader has passed it.
const (
	Checking State = "checking"
	Ready    State = "ready"
	Rejected State = "rejected"
)

// FileState is the state of one file of a record.
type FileState struct {
	State    State     `json:"state"`
	Kind     string    `json:"kind,omitempty"` // media type by content
	Pages    int       `json:"pages"`
	Findings []Finding `json:"findings,omitempty"`
	// Sizes are those of the pages, for whoever draws on them.
	Sizes []PageSize `json:"-"`
	// Signatures are those on the file, as far as it tells by itself.
	Signatures []Signature `json:"signatures,omitempty"`
}
