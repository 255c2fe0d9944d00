"""What a reader can get wrong. Each is a mistake of a released tool, or one that we made ourselves on the way."""

from __future__ import annotations

from enum import StrEnum, auto


class Fault(StrEnum):
    """One mistake; the naive reader makes those that it is told to make, and no others."""

    # Where a chain ends
    FIRST_PAGE_ONLY = auto()
    """Ends after one page, as readers do whose paging looks for other names than the API's."""
    ADVANCES_BY_LIMIT = auto()
    """Adds the limit that it asked for to the offset, not the records that it got."""
    IGNORES_TOTALS = auto()
    """Goes on until a page is empty, whatever the answers say of totals."""
    IGNORES_TEXT_TOTALS = auto()
    """Takes `"3"` for no total."""
    MISSING_PATHS_ARE_SILENT = auto()
    """Takes a total or a flag that is missing, or is `"abc"`, for one that nobody asked for."""
    FIRST_TOTAL_COUNTS = auto()
    """Believes the first answer's total for good."""
    TOTAL_IS_LAST_NUMBER = auto()
    """Asks for pages up to the number that is the count of pages, though counting begins at 0."""
    IGNORES_START_PAGE = auto()
    """Begins to count pages at 1, whatever the mapping says."""
    IGNORES_HAS_MORE = auto()
    """Goes on while there is a cursor or a record, although the answer says that there is no more."""
    TRUSTS_ANY_FLAG = auto()
    """Takes `"false"` for true, as any text that is not empty."""
    IGNORES_LAST_PAGE_FLAG = auto()
    FILTERED_PAGE_IS_SHORT = auto()
    """Looks for the end at the records that its filter left over."""
    SHORT_PAGE_ENDS = auto()
    """Ends at a page with fewer records than it asked for."""
    SHORT_PAGE_NEVER_ENDS = auto()
    """Asks on after a short page, although the mapping says that it is the last."""
    EMPTY_PAGE_ENDS = auto()
    """Ends at an empty page that names a cursor."""
    EMPTY_PAGE_IS_THE_END = auto()
    """Calls a chain complete that ends before the total."""
    REPEATS_AFTER_AN_EMPTY_PAGE = auto()
    """Asks for the same offset again after an empty page, as long as the total is not reached."""
    EMPTY_PAGES_ARE_A_LOOP = auto()
    """Takes two empty pages in a row for a page that repeats."""
    NO_LOOP_GUARD = auto()
    COMPARES_WITH_PREVIOUS_ONLY = auto()
    """Takes a cursor for a loop only where the one before was the same."""
    KEEPS_REPEATED_PAGES = auto()
    """Stops at a page that repeats, after it has taken its records."""
    EMPTY_TEXT_IS_A_CURSOR = auto()
    FALSE_IS_A_CURSOR = auto()
    ZERO_IS_NO_CURSOR = auto()
    ANYTHING_IS_A_CURSOR = auto()
    """Sends an object as it prints."""
    CURSORS_ARE_TEXT = auto()
    """Puts an integer cursor into a body as a text."""
    LIMITS_THE_FIRST_PAGE_ONLY = auto()
    """Sends the limit with the first request, and forgets it then."""
    KEEPS_COUNTING = auto()
    """Asks for a page by number where there is no link."""
    SHARES_BODIES = auto()
    """Writes the cursor into the mapping's own body, where the next resource finds it."""
    SHARES_PAGE_STATE = auto()
    """Begins each chain where the one before ended."""
    FORGETS_THE_TEMPLATE_BODY = auto()
    """Sends a body with the paging value alone."""
    IGNORES_MAX_PAGES = auto()
    MAX_PAGES_IS_COMPLETE = auto()
    MAX_PAGES_ALWAYS_CUTS = auto()
    """Calls a chain cut short that has exactly so many pages."""

    # Links
    FOLLOWS_FOREIGN_LINKS = auto()
    """Follows a link wherever it leads, with the credentials."""
    SENDS_CREDENTIALS_TO_ALLOWED = auto()
    """Sends the credentials to origins that may only be read."""
    FORGETS_CREDENTIALS = auto()
    """Comes back from another origin without them."""
    COMPARES_HOSTS_AS_TEXT = auto()
    """Takes the same host in capitals for another one."""
    RESENDS_PARAMS = auto()
    """Adds the first request's parameters to a link that holds them."""
    GLUES_LINKS_TO_THE_BASE = auto()
    """Reads a relative link as a piece of text behind the base URL."""
    ABSOLUTE_LINKS_ONLY = auto()
    EMPTY_LINK_IS_A_LINK = auto()
    DECODES_LINKS = auto()
    """Writes a link's percent-encoded characters anew, twice encoded."""
    SPLITS_LINKS_AT_COMMAS = auto()
    WANTS_QUOTED_REL = auto()
    WANTS_REL_FIRST = auto()
    """Finds `rel` only where it is a link's first parameter."""
    WANTS_ONE_REL = auto()
    """Does not find a relation in a list of several."""
    FIRST_LINK_LINE_ONLY = auto()
    FIRST_LINK_COUNTS = auto()
    """Follows the first link, whatever its relation."""
    FOLLOWS_REDIRECTS_BLINDLY = auto()
    NEVER_FOLLOWS_REDIRECTS = auto()
    NO_REDIRECT_LIMIT = auto()
    REDIRECTS_LOSE_THE_BODY = auto()
    """Makes a GET of every request that is sent elsewhere."""

    # Waiting
    CLAMPS_RETRY_AFTER = auto()
    """Waits as long as it thinks fit where the server asks for longer, and asks again."""
    IGNORES_RETRY_AFTER = auto()
    IGNORES_RETRY_AFTER_DATES = auto()
    WHOLE_SECONDS_ONLY = auto()
    ADDS_A_SECOND = auto()
    WAITS_AT_LEAST_A_SECOND = auto()
    TRUSTS_NEGATIVE_WAITS = auto()
    """Takes `-5` for "at once"."""
    NEVER_RETRIES = auto()
    RETRIES_FOR_EVER = auto()
    RETRIES_EVERY_ERROR = auto()
    CONSTANT_BACKOFF = auto()
    COUNTS_RETRIES_NOT_TRIES = auto()
    """One try more than the mapping allows."""
    NO_BUDGET = auto()
    RETRIES_ARE_FREE = auto()
    """Sends retries beside the budget."""
    IGNORES_REMAINING = auto()
    """Does not look at what the answers say is left."""
    HEADERS_RAISE_THE_BUDGET = auto()

    # Answers
    SWALLOWS_STATUSES = auto()
    """Takes an error status for an empty page."""
    IGNORES_ON_STATUS = auto()
    SKIPPED_IS_COMPLETE = auto()
    SKIPS_THE_REST = auto()
    """Leaves the rest of a chain out where a later page has the status that is to be skipped."""
    RETRIES_WHAT_FAILS = auto()
    """Tries a status again although the mapping says that it is final."""
    TAKES_HALF_AN_ANSWER = auto()
    """Takes what came of an answer that broke off for an empty page."""
    HTML_IS_NO_RECORDS = auto()
    NO_BODY_IS_NO_RECORDS = auto()
    NO_CONTENT_IS_AN_ERROR = auto()
    NULL_IS_NO_RECORDS = auto()
    """Takes a `data_path` that finds nothing for an empty source."""
    FAILING_PATH_IS_EMPTY = auto()
    """Takes a `data_path` that fails for an empty page."""
    NULL_IS_ALWAYS_AN_ERROR = auto()
    EMPTY_LIST_IS_AN_ERROR = auto()
    FIRST_OUTPUT_ONLY = auto()
    """Takes the first output of `data_path` for all of it."""
    FIRST_PIECE_ONLY = auto()
    """Reads a large answer in pieces, and loses all but the first."""
    CHOKES_ON_A_BOM = auto()
    ALL_TEXT_IS_UTF8 = auto()
    """Ignores the charset that an answer names, and replaces what it cannot read."""
    GZIP_ONLY_WHERE_NAMED = auto()
    NUMBERS_ARE_DOUBLES = auto()
    LAST_LINE_LOST = auto()
    """Loses the last line of an answer that does not end with a line break."""
    SPLITS_CSV_AT_EVERY_COMMA = auto()
    PATHS_SEE_ONE_PAGE = auto()
    """Gives `data_path` one page at a time, although it wants all at once."""

    # Requests
    LOSES_TYPES = auto()
    """Guesses the type of a template's value from its text: `1_0` becomes 10."""
    MISSING_IS_EMPTY_TEXT = auto()
    LISTS_ARE_JOINED = auto()
    """Sends a list as one parameter, `a,b`."""
    BOOLEANS_ARE_PYTHONS = auto()
    """Sends `True` for true."""
    SPANS_ARE_TEXT = auto()
    """Sends an expression as it stands."""
    DROPS_NULLS = auto()
    EVERY_BODY_IS_JSON = auto()
    PASTES_PARAMS = auto()
    """Puts parameters into the query as they are."""
    PARAMS_REPLACE_THE_QUERY = auto()
    """Loses the query string of the path where there are parameters."""
    PARAMS_ARE_ADDED = auto()
    """Sends a parameter beside the one of the same name in the path."""
    SOURCE_HEADERS_WIN = auto()

    # Path parameters
    PASTES_VALUES = auto()
    """Puts values into the path as they are."""
    ENCODES_TWICE = auto()
    FIRST_PLACEHOLDER_ONLY = auto()
    NONE_IS_A_VALUE = auto()
    """Puts a missing value into the path: `/None`."""
    SKIPS_MISSING_VALUES = auto()
    """Leaves a missing value out without a word."""
    DOTS_ARE_VALUES = auto()
    """Puts `..` into the path, which then is another one."""
    KEEPS_DUPLICATES = auto()
    """Asks twice for a value that came twice."""
    FAILED_DISCOVERY_IS_EMPTY = auto()
    NO_VALUES_IS_AN_ERROR = auto()
    FORGETS_THE_PARENT = auto()
    """Does not hand the parent's values to its children."""
    FIRST_FAILURE_ENDS_ALL = auto()
    """Leaves the other children out when one cannot be read."""
    LAST_CHILD_COUNTS = auto()
    """Calls a resource what its last child came to."""
    SWALLOWS_CHILDREN = auto()
    """Leaves a child out that cannot be read, without a word."""
    FETCHES_PARENTS_AGAIN = auto()
    IGNORES_PARAMETER_FILTER = auto()

    # Windows
    ONE_WINDOW = auto()
    WINDOWS_PASS_THE_END = auto()
    IGNORES_OVERLAP = auto()
    IGNORES_GRANULARITY = auto()
    MONTHS_DRIFT = auto()
    """Counts each month from the end of the one before, so that the 31st becomes the 28th for good."""
    MONTHS_ARE_30_DAYS = auto()
    IGNORES_OFFSETS = auto()
    """Reads `+02:00` as if it were UTC."""
    ONE_FORMAT = auto()
    BAD_WINDOW_IS_EMPTY = auto()

    # Lookups
    LOOKUP_FOR_EACH_RESOURCE = auto()
    LOOKUP_READS_ONE_PAGE = auto()
    FAILED_LOOKUP_IS_EMPTY = auto()
    FAILED_LOOKUP_ENDS_ALL = auto()
    IGNORES_INDEX = auto()

    # Authentication
    NO_AUTH = auto()
    SIGNS_IN_FOR_EACH_REQUEST = auto()
    NEVER_SIGNS_IN_AGAIN = auto()
    """Takes a 401 for final, although the token may only have ended."""
    SIGNS_IN_FOR_EVER = auto()
    IGNORES_TOKEN_LIFE = auto()
    """Uses a token until the source refuses it."""
    ONE_GRANT = auto()
    """Sends the grant that it knows, whatever the mapping says."""
    ASKS_WITHOUT_TOKEN = auto()
    """Goes on without credentials where it got none."""
