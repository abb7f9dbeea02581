package api

// addPages mounts the pages. Each names its action like every other route.
func (s *Server) addPages() {
	for _, p := range s.pages.Routes() {
		r := route{act: p.Action, body: bodyJSON, page: true, bare: p.Static}
		switch p.Body {
		case 0:
		case -1:
			r.body = bodyAny
		default:
			r.body = p.Body
		}
		s.add(p.Method, p.Path, r, handler(p.Handle))
	}
}
