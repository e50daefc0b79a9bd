select auction, bidder, price, date_time as dt, extra
from bid
qualify row_number() over (partition by bidder, auction order by date_time desc, price desc, extra) = 1
